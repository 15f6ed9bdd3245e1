package serialclient

import "time"

// Fifo is the queue of calls.
type Fifo = fifo[int]

// Push, Pop, Len, At and Truncate are those of a Fifo; Cap is for how many items it has memory.
func Push(q *Fifo, item int)  { q.push(item) }
func Pop(q *Fifo) int         { return q.pop() }
func Len(q *Fifo) int         { return q.len() }
func At(q *Fifo, i int) int   { return *q.at(i) }
func Truncate(q *Fifo, n int) { q.truncate(n) }
func Cap(q *Fifo) int         { return cap(q.items) }
func Last(q *Fifo) int        { return *q.last() }

// Sent returns a channel that is closed when nothing more of a stream's request is sent.
func Sent(s *Stream) <-chan struct{} { return s.sender.done }

// PutIdle makes connections idle that have been so since these times, one after the other, and returns the
// times in the order in which an address has them.
func PutIdle(since ...time.Time) (order []time.Time) {
	a := new(poolAddress)
	for _, at := range since {
		a.put(&poolConn{idleAt: at})
	}
	for _, c := range a.idle {
		order = append(order, c.idleAt)
	}
	return order
}
