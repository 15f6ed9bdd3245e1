package store

import (
	"sync"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// request is a batch on its way. The committer fills in answer or err; whoever closes done does that last.
type request struct {
	head    logwire.BatchHead
	records []byte
	answer  logwire.AppendAnswer
	err     error
	done    chan struct{}

	// refusal is why it is not to be stored, if it is not stored already; else nil. It does not change.
	refusal error
	// expireMarks makes it no batch, but the wish to remove old marks.
	expireMarks bool
}

func (r *request) finish(err error) {
	if r.err == nil {
		r.err = err
	}
	close(r.done)
}

// queue holds the requests that wait for the committer, bounded in bytes.
type queue struct {
	limit int64
	ready chan struct{} // holds one token while waiting is not empty or closed is set

	mu      sync.Mutex
	waiting []*request // guarded by mu, as are the following
	bytes   int64
	closed  error
}

func newQueue(limit int64) *queue { return &queue{limit: limit, ready: make(chan struct{}, 1)} }

// put appends r, or returns ErrBusy, or what the queue was closed with. A queue that is empty takes any request.
func (q *queue) put(r *request) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch n := int64(len(r.records)); {
	case q.closed != nil:
		return q.closed
	case q.bytes > 0 && q.bytes+n > q.limit:
		return ErrBusy
	default:
		q.bytes += n
		q.waiting = append(q.waiting, r)
	}
	q.signalLocked()
	return nil
}

// take waits for requests and returns the first of them, of at most limit bytes unless it is one alone. It returns none when the queue
// is closed and empty.
func (q *queue) take(limit int64) []*request {
	for {
		<-q.ready
		q.mu.Lock()
		n := 0
		for bytes := int64(0); n < len(q.waiting); n++ {
			bytes += int64(len(q.waiting[n].records))
			if n > 0 && bytes > limit {
				break
			}
			q.bytes -= int64(len(q.waiting[n].records))
		}
		taken := q.waiting[:n:n]
		q.waiting = q.waiting[n:]
		if len(q.waiting) > 0 || q.closed != nil {
			q.signalLocked()
		}
		closed := q.closed
		q.mu.Unlock()
		if n > 0 || closed != nil {
			return taken
		}
	}
}

// close makes put return err. What waits is still taken.
func (q *queue) close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed == nil {
		q.closed = err
	}
	q.signalLocked()
}

func (q *queue) signalLocked() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}
