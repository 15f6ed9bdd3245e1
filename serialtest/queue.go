package serialtest

// queue is a bounded first-in, first-out byte queue. It takes memory as it
// fills and keeps it. The zero value holds nothing; size sets the bound.
type queue struct {
	size int
	buf  []byte // buf[head:] waits to be popped
	head int
}

// len returns the number of bytes waiting.
func (q *queue) len() int { return len(q.buf) - q.head }

// push appends as much of p as fits and returns how much that was.
func (q *queue) push(p []byte) int {
	n := min(len(p), q.size-q.len())
	if n == 0 {
		return 0
	}
	// Moving the waiting bytes down pays only while they are the smaller half;
	// otherwise append may grow buf, to a small multiple of size at most.
	if len(q.buf)+n > cap(q.buf) && q.head >= q.len() {
		q.buf = q.buf[:copy(q.buf, q.buf[q.head:])]
		q.head = 0
	}
	q.buf = append(q.buf, p[:n]...)
	return n
}

// pop moves waiting bytes into p and returns how many.
func (q *queue) pop(p []byte) int {
	n := copy(p, q.buf[q.head:])
	q.head += n
	if q.head == len(q.buf) {
		q.buf, q.head = q.buf[:0], 0
	}
	return n
}

// drop forgets what waits and gives the memory back.
func (q *queue) drop() { q.buf, q.head = nil, 0 }
