package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/serialkit/serialkit/examples/logd/query"
)

// Store is an open store. All methods may be called by several goroutines.
type Store struct {
	failure

	o       Options // with defaults; never changes, as the next four
	dir     string
	fs      fence
	db      *pebble.DB
	lock    *pebble.Lock
	reading sync.RWMutex // read-locked while a reader uses db; Close locks it for ever

	everything *query.Filter // wants all records; never changes

	queue    *queue
	inFlight chan *group
	marks    marks    // the committer's
	witness  *witness // the acknowledger's, except for syncs
	space    space

	head      atomic.Uint64 // the next id that readers do not see yet; the acknowledger moves it on
	first     atomic.Uint64 // the lowest id that is kept; retention moves it on
	producers atomic.Int64
	unsealed  amount
	counts    counts
	files     files
	damage    damage
	sealer    sealer // the upkeep goroutine's

	stop     context.CancelFunc // ends upkeep
	stopping context.Context
	wake     chan struct{} // one token: look whether there is something to seal
	tasks    chan *task
	wait     sync.WaitGroup
	closing  sync.Once
	closed   error // set by closing
}

// amount is a number of records and their bytes.
type amount struct {
	records, bytes atomic.Int64
}

func (a *amount) add(records, bytes int64) {
	a.records.Add(records)
	a.bytes.Add(bytes)
}

// counts are those of logwire.Stats since Open.
type counts struct {
	appended, batches, commits, repeated, refused, gaps, busy atomic.Int64
	expired, queries, corrupt                                 atomic.Int64
}

// Head returns the id that the next record will get. The records below it are durable and visible.
func (s *Store) Head() uint64 { return s.head.Load() }

// First returns the id of the oldest record that is kept, which is Head if there is none.
func (s *Store) First() uint64 { return s.first.Load() }

// newIter returns an iterator over all keys and what to call at its end, which has to come soon.
func (s *Store) newIter() (it *pebble.Iterator, end func() error, err error) {
	if !s.reading.TryRLock() {
		return nil, nil, ErrClosed
	}
	if it, err = s.db.NewIter(nil); err != nil {
		s.reading.RUnlock()
		return nil, nil, err
	}
	return it, func() error {
		defer s.reading.RUnlock()
		return it.Close()
	}, nil
}

// wakeSealer makes the sealer look whether there is something to do.
func (s *Store) wakeSealer() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// start begins the three goroutines of the store. Close waits for them.
func (s *Store) start() {
	s.wait.Add(1)
	go func() { // ends when the queue is closed and empty
		defer s.wait.Done()
		s.commits()
	}()
	s.wait.Add(1)
	go func() { // ends when commits has
		defer s.wait.Done()
		s.acknowledges()
	}()
	s.wait.Add(1)
	go func() { // ends when Close calls stop
		defer s.wait.Done()
		s.upkeep()
	}()
}

// Close ends the store: what Append has taken is stored and acknowledged first, new calls get ErrClosed. A query that
// is running ends with ErrClosed when it needs more. A second call returns what the first did.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.stop()
		s.queue.close(ErrClosed)
		s.wait.Wait()
		s.reading.Lock() // Nobody reads from now on.
		err := s.witness.close()
		s.closed = errors.Join(s.failed(), err, s.db.Close(), s.lock.Close())
	})
	return s.closed
}
