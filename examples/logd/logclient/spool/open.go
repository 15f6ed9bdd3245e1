package spool

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
)

var identityNames = [...]string{"identity", "identity.copy"}

func random(b []byte) { _, _ = rand.Read(b) } // It never fails: crypto/rand ends the process instead.

// readIdentity returns the newest of the copies that is whole. Without any, found is false.
func (s *Spool) readIdentity() (id Identity, found bool, err error) {
	damaged := false
	for _, name := range identityNames {
		b, err := s.fs.ReadFrom(filepath.Join(s.dir, name), nil, 0, 2*identitySize)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return id, false, err
		}
		i, ok := decodeIdentity(b)
		if !ok {
			damaged = true
		} else if !found || i.generation > id.generation {
			id, found = i, true
		}
	}
	s.lost = damaged && !found
	return id, found, nil
}

// nextEpoch returns an epoch above the one before, by a random number. Copies of a directory are the same producer: if they began the same
// epoch, the collector would take the batches of one for those that it has of another.
func (s *Spool) nextEpoch(before uint64) uint64 {
	var step [4]byte
	s.random(step[:])
	return before + 1 + uint64(binary.BigEndian.Uint32(step[:]))
}

// Identity returns who the producer is.
func (s *Spool) Identity() Identity {
	s.identityMu.Lock()
	defer s.identityMu.Unlock()
	return s.identity
}

// SetIdentity writes the identity. When it returns nil it is on the disk, and so are the removals of files before it. After an error either may be
// there, the old or the new one.
func (s *Spool) SetIdentity(id Identity) error {
	s.identityMu.Lock()
	defer s.identityMu.Unlock()
	id.generation = max(id.generation, s.identity.generation) + 1
	for _, name := range identityNames {
		if err := s.writeWhole(filepath.Join(s.dir, name), id.encode()); err != nil {
			return fmt.Errorf("spool: identity: %w", err)
		}
	}
	if err := s.fs.SyncDir(s.dir); err != nil {
		return fmt.Errorf("spool: identity: %w", err)
	}
	s.identity = id
	return nil
}

// writeWhole writes a file so that there is the old or the new one at any time.
func (s *Spool) writeWhole(name string, b []byte) error {
	f, err := s.fs.Create(name + ".new")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return s.fs.Rename(name+".new", name)
}

// scan finds the segments and what is in them. It returns the highest epoch.
func (s *Spool) scan(acked uint64) (epoch uint64, err error) {
	names, err := s.fs.Names(s.dir)
	if err != nil {
		return 0, err
	}
	var found []*segment
	for _, name := range names {
		if g, ok := parseName(name); ok {
			found = append(found, g)
		}
	}
	slices.SortFunc(found, func(a, b *segment) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.name, b.name))
	})
	s.acked, s.end = acked, acked
	for i, g := range found {
		following := uint64(0)
		if i+1 < len(found) {
			following = found[i+1].from
		}
		epoch = max(epoch, s.add(g, following))
	}
	s.recovered, s.data = s.recordsLocked(), nil
	return epoch, nil
}

// add reads a segment that is followed by one that begins at following, 0 for none. It returns its highest epoch.
func (s *Spool) add(g *segment, following uint64) (epoch uint64) {
	b, err := s.fs.ReadFrom(filepath.Join(s.dir, g.name), s.data[:0], 0, math.MaxInt64)
	if err != nil { // The disk fails: what is there is left to people, under a name that is no segment's.
		s.unknown++
		_ = s.fs.Rename(filepath.Join(s.dir, g.name), filepath.Join(s.dir, g.name+".unreadable"))
		return 0
	}
	s.data = b
	end, epoch, tail := extent(b, g.marker)
	g.size, g.end = int64(len(b)), max(end, g.from)
	if tail && following > g.end {
		g.end = following
	} else if tail {
		s.unknown++
	}
	if n := len(s.segments); n > 0 {
		g.from = max(g.from, s.segments[n-1].end) // What was appended twice counts once.
	}
	if g.end <= max(g.from, s.acked) {
		s.garbage = append(s.garbage, g)
		return epoch
	}
	s.segments = append(s.segments, g)
	s.end = max(s.end, g.end)
	return epoch
}
