package spool

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"

	"github.com/serialkit/serialkit/examples/logd/logclient/internal/files"
)

// ErrInUse: another Spool, in this process or another, has the directory.
var ErrInUse = errors.New("spool: the directory is in use by another process")

// ErrFull: a batch does not fit into Options.MaxBytes.
var ErrFull = errors.New("spool: full")

// The bounds unless Options say otherwise.
const (
	// DefaultMaxBytes bounds the segments: 256 MiB.
	DefaultMaxBytes = 256 << 20
	// MaxSegment is how large a segment becomes, and so how much is read at a time: 4 MiB. One frame
	// may make it larger.
	MaxSegment = 4 << 20
)

// Options are for Open. The zero value is fine.
type Options struct {
	// MaxBytes bounds the segments together; 0 is DefaultMaxBytes.
	MaxBytes int64
	// FS is the file system; nil is that of the system. Other implementations are for tests.
	FS files.FS
	// Random fills b with random bytes; nil is crypto/rand's.
	Random func(b []byte)
}

// Spool is a directory of batches. One goroutine appends (Append, Clean), one reads (Next, Rewind, Skip); the other methods may be called by
// any, and never wait for the disk, but for SetIdentity and Close.
type Spool struct {
	fs       files.FS
	dir      string
	maxBytes int64
	segment  int64 // how large one becomes
	random   func([]byte)
	lock     io.Closer

	mu       sync.Mutex
	segments []*segment // in the order of their positions
	garbage  []*segment // to be removed
	acked    uint64
	end      uint64   // the position behind the last batch
	reading  *segment // the one that Next reads, nil after Rewind

	identityMu sync.Mutex
	identity   Identity

	recovered uint64
	unknown   int
	lost      bool

	// The following belong to the goroutine that appends.
	file    files.File
	current *segment // whose file it is; nil: the next Append makes one
	broken  bool     // file has more than current.size bytes, because an Append failed

	// And these to the one that reads.
	data   []byte // of reading
	offset int    // in data
	at     uint64 // the end of the segment before reading, once it was read
}

// Open opens the directory, and makes it if it is not there. It begins a new epoch. What was damaged is passed over and counted; the
// error is ErrInUse, or the file system's.
func Open(dir string, o Options) (*Spool, error) {
	s := &Spool{fs: o.FS, dir: dir, maxBytes: o.MaxBytes, random: o.Random}
	if s.fs == nil {
		s.fs = files.OS{}
	}
	if s.maxBytes <= 0 {
		s.maxBytes = DefaultMaxBytes
	}
	if s.random == nil {
		s.random = random
	}
	s.segment = min(MaxSegment, max(s.maxBytes/8, 4<<10))
	if err := s.fs.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	var err error
	if s.lock, err = s.fs.Lock(filepath.Join(dir, "lock")); errors.Is(err, files.ErrLocked) {
		return nil, fmt.Errorf("%w: %s", ErrInUse, dir)
	} else if err != nil {
		return nil, fmt.Errorf("spool: lock: %w", err)
	}
	if err := s.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("spool: %w", err), s.lock.Close())
	}
	return s, nil
}

// load reads what is there and begins an epoch.
func (s *Spool) load() error {
	id, found, err := s.readIdentity()
	if err != nil {
		return err
	}
	if !found {
		s.random(id.Producer[:])
	}
	epoch, err := s.scan(id.Acked)
	if err != nil {
		return err
	}
	id.Epoch = s.nextEpoch(max(id.Epoch, epoch))
	return s.SetIdentity(id)
}

// Recovered returns how many records were found at Open, damaged ones among them as far as their number is known.
func (s *Spool) Recovered() uint64 { return s.recovered }

// Unknown returns at how many places Open found what cannot be read and nothing that says how many records it was.
func (s *Spool) Unknown() int { return s.unknown }

// IdentityLost reports whether both copies of the identity were damaged: the producer has a new id, and what is in the spool and had been sent
// before may be stored twice.
func (s *Spool) IdentityLost() bool { return s.lost }

// Bytes returns the size of the segments.
func (s *Spool) Bytes() (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytesLocked()
}

func (s *Spool) bytesLocked() (n int64) {
	for _, list := range [...][]*segment{s.segments, s.garbage} {
		for _, g := range list {
			n += g.size
		}
	}
	return n
}

// Records returns how many records were appended and not acknowledged.
func (s *Spool) Records() (n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recordsLocked()
}

func (s *Spool) recordsLocked() (n uint64) {
	for _, g := range s.segments {
		n += g.pending(s.acked)
	}
	return n
}

// Acked returns the position up to which all is acknowledged.
func (s *Spool) Acked() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acked
}

// End returns the position behind the last batch.
func (s *Spool) End() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end
}

// Ack says that everything before the position needs not be kept. It returns how many records that were, damaged
// ones among them.
func (s *Spool) Ack(position uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.recordsLocked()
	s.acked = max(s.acked, position)
	done := 0
	for done < len(s.segments) && s.segments[done].end <= s.acked {
		done++
	}
	s.garbage = append(s.garbage, s.segments[:done]...)
	s.segments = slices.Delete(s.segments, 0, done)
	return before - s.recordsLocked()
}

// DropOldest gives the oldest segment up that is not being read or appended to and that begins at keep or later. It returns how
// many records that were; ok is false if there is none.
func (s *Spool) DropOldest(keep uint64) (records uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, g := range s.segments {
		if g == s.reading || g.from < keep || i == len(s.segments)-1 {
			continue
		}
		records = g.pending(s.acked)
		s.segments = slices.Delete(s.segments, i, i+1)
		s.garbage = append(s.garbage, g)
		return records, true
	}
	return 0, false
}

// Holds reports whether the batch that ends at the position is in a segment that was neither dropped nor acknowledged as a whole.
func (s *Spool) Holds(end uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.segments, func(g *segment) bool { return g.from < end && end <= g.end })
}

// Close ends the use of the directory. The position up to which all is acknowledged is kept.
func (s *Spool) Close() error {
	errs := []error{s.Clean()}
	if id := s.Identity(); id.Acked != s.Acked() {
		id.Acked = s.Acked()
		errs = append(errs, s.SetIdentity(id))
	}
	if s.file != nil {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}
