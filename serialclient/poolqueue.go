package serialclient

import "time"

// waiter is a caller that waits for a connection. The Pool's lock guards it, but for ready.
type waiter struct {
	ready chan struct{} // closed when the caller need not wait any more: one of the next two is set
	conn  *poolConn
	err   error

	until      time.Time    // when it gives up if no address can be reached
	avoid      *poolAddress // where the call was refused before; nil: nowhere
	queued     bool
	prev, next *waiter
}

// waiters is the queue of the callers, the first to be served first. Unlike fifo, any one may leave it.
type waiters struct {
	first, last *waiter
	n           int
}

func (q *waiters) push(w *waiter) {
	w.prev, w.queued = q.last, true
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	q.n++
}

func (q *waiters) remove(w *waiter) {
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.queued = nil, nil, false
	q.n--
}

// serve gives a waiter its connection, or the error.
func (q *waiters) serve(w *waiter, c *poolConn, err error) {
	q.remove(w)
	w.conn, w.err = c, err
	close(w.ready)
}
