package serialclient

import (
	"math"

	"github.com/serialkit/serialkit/serial"
)

// call is one call whose response has not been read.
type call struct {
	task   serial.TaskCode
	number uint64 // from 1, in the order of sending
	size   int    // bytes of the request, as far as they are known beforehand
	start  uint64 // where in the output its request begins
	end    uint64 // and where it ends; unwritten: it has not been written whole
	sentAt int64  // when it was written, in ns since Client.start; sending: not yet
}

// unwritten is the end of a request that has not been written whole.
const unwritten = math.MaxUint64

// response is one that was read before it was asked for.
type response struct {
	body []byte
	err  error
}

// responseCost is what a response that is kept counts beside its body: more than its memory.
const responseCost = 64

// kept returns a response body in no more memory than it counts.
func kept(body []byte) []byte {
	if cap(body)-len(body) <= responseCost/2 {
		return body
	}
	return append([]byte(nil), body...)
}

// fifo is a first-in, first-out queue. Its memory is at most a small multiple of the most that it
// held since it was empty.
type fifo[T any] struct {
	items []T // items[head:] is queued
	head  int
}

func (q *fifo[T]) len() int { return len(q.items) - q.head }

// at returns the item behind i others.
func (q *fifo[T]) at(i int) *T { return &q.items[q.head+i] }

// last returns the item that was pushed last.
func (q *fifo[T]) last() *T { return &q.items[len(q.items)-1] }

func (q *fifo[T]) push(item T) {
	if len(q.items) == cap(q.items) && q.head > 0 && q.head >= q.len() {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, item)
}

func (q *fifo[T]) pop() T {
	item := q.items[q.head]
	clear(q.items[q.head : q.head+1])
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
		if cap(q.items) > fifoKept {
			q.items = nil
		}
	}
	return item
}

// fifoKept is for how many items an empty fifo keeps memory.
const fifoKept = 1024

// truncate drops all items but the first n.
func (q *fifo[T]) truncate(n int) {
	clear(q.items[q.head+n:])
	q.items = q.items[:q.head+n]
}
