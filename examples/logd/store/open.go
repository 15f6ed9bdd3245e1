package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/examples/logd/query"
)

// The names in the directory, beside witnessName and a directory for each day.
const databaseName = "db"

// Open opens the store in dir, which is created if it does not exist, and recovers what a crash has left. It looks at everything but
// the contents of blocks before it changes anything.
//
// It returns ErrLocked if another process uses dir, a *LossError if acknowledged records are missing, ErrFormat for a directory
// that it does not understand, and Pebble's error for a log or a table that is damaged.
func Open(dir string, o Options) (*Store, error) {
	o = o.withDefaults()
	s := &Store{o: o, dir: dir, fs: newFence(o.FS)}
	s.failure.fence, s.log, s.onFatal = s.fs, o.Logger, o.OnFatal
	s.queue, s.inFlight = newQueue(o.QueueBytes), make(chan *group, groupsInFlight)
	s.wake, s.tasks = make(chan struct{}, 1), make(chan *task)
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.space.free = func() (uint64, error) { return o.FreeSpace(dir) }
	s.space.min, s.space.log = o.MinFree, o.Logger
	s.damage.known = map[uint64]bool{}
	var err error
	if s.everything, err = query.Parse("", o.Now()); err == nil {
		err = s.open()
	}
	if err != nil {
		s.stop()
		return nil, err
	}
	s.space.look()
	s.start()
	return s, nil
}

func (s *Store) path(names ...string) string {
	return s.fs.PathJoin(append([]string{s.dir}, names...)...)
}

func (s *Store) open() (err error) {
	if err := errors.Join(makeDir(s.fs, s.dir), makeDir(s.fs, s.path(databaseName))); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if s.lock, err = pebble.LockDirectory(s.path(databaseName), s.fs); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrLocked, s.dir, err)
	}
	if err = s.recover(); err == nil {
		return nil
	}
	err = fmt.Errorf("store: %s: %w", s.dir, err)
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	return errors.Join(err, s.lock.Close())
}

// makeDir makes sure that the directory is there and that a power cut leaves it there, its parents too where it makes them.
func makeDir(fs vfs.FS, path string) error {
	parent := fs.PathDir(path)
	if _, err := fs.Stat(path); err != nil {
		if _, err := fs.Stat(parent); err != nil && parent != path {
			if err := makeDir(fs, parent); err != nil {
				return err
			}
		}
		if err := fs.MkdirAll(path, dirMode); err != nil {
			return err
		}
	}
	return syncDir(fs, parent)
}

// recover loads what there is with Pebble opened for reading alone, since Pebble removes what it does not know of as soon as it
// may write, and then opens it for good.
func (s *Store) recover() error {
	acknowledged, err := readWitness(s.fs, s.path(witnessName), s.log)
	if err != nil {
		return err
	}
	state, err := s.inspect()
	if err != nil {
		return err
	}
	missing := state.missing(acknowledged)
	if len(missing) > 0 {
		loss := &LossError{missing}
		if !s.o.AcceptLoss {
			return loss
		}
		s.log.Error("going on without acknowledged records, as told", zap.Error(loss))
	}
	if s.db, err = pebble.Open(s.path(databaseName), s.pebbleOptions(false)); err != nil {
		return err
	}
	if err := s.adopt(state, missing); err != nil {
		return err
	}
	s.witness, err = openWitness(s.fs, s.path(witnessName), s.head.Load())
	return err
}

// inspect loads the state of an existing database; there is none before the first Open.
func (s *Store) inspect() (*state, error) {
	state := newState()
	found, err := pebble.Peek(s.path(databaseName), s.fs)
	if err != nil || !found.Exists {
		return state, err
	}
	db, err := pebble.Open(s.path(databaseName), s.pebbleOptions(true))
	if err != nil {
		return nil, err
	}
	return state, errors.Join(state.load(db), db.Close())
}

// adopt makes the state that of the store, and writes what it needs for the next start.
func (s *Store) adopt(st *state, missing []Range) error {
	batch := s.db.NewBatch()
	defer batch.Close()
	for _, r := range missing {
		if err := batch.Set(numberKey(keyLoss, r.First), numberKey(keyLoss, r.End)[1:], nil); err != nil {
			return err
		}
		st.next.id = max(st.next.id, r.End)
	}
	if len(missing) > 0 || !st.found {
		if err := errors.Join(batch.Set([]byte{keyNext}, st.next.append(nil), nil), batch.Commit(pebble.Sync), s.failed()); err != nil {
			return err
		}
	}
	s.head.Store(st.next.id)
	s.first.Store(st.next.first)
	s.marks = marks{st.marks, s.o.MaxProducers}
	s.producers.Store(int64(len(st.marks)))
	s.unsealed.add(st.unsealed.records, st.unsealed.bytes)
	s.files.list = st.files
	s.sealer.given = append(st.given, missing...)
	s.sealer.next, s.sealer.file = s.sealer.skip(max(st.sealed, st.next.first)), st.next.file
	return s.reconcile()
}

// pebbleOptions are for few, large values that are written once and mostly deleted before they are compacted. They are not
// compressed: blocks are, and unsealed records stay for seconds.
func (s *Store) pebbleOptions(readOnly bool) *pebble.Options {
	o := &pebble.Options{
		FS:                          s.fs,
		Lock:                        s.lock,
		ReadOnly:                    readOnly,
		FormatMajorVersion:          pebble.FormatNewest,
		Logger:                      pebbleLogger{&s.failure},
		MemTableSize:                uint64(s.o.MemTable),
		MemTableStopWritesThreshold: 4,
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) { s.log.Error("pebble: in the background", zap.Error(err)) },
			DataCorruption:  func(i pebble.DataCorruptionInfo) { s.log.Error("pebble: damaged", zap.Stringer("where", i)) },
		},
	}
	for i := range o.Levels {
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	}
	return o
}
