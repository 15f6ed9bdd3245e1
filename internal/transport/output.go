package transport

import (
	"sync/atomic"
	"time"
)

// Output is the buffered writing half of a Conn. It is a serial.Sink: Write, Available and
// AvailableBuffer are those of bufio.Writer.
//
// One goroutine at a time owns it. While the owner does something that may last, such as running a
// handler, it lends the output, and what is buffered is then flushed by a timer. That costs nothing
// where nothing is buffered, and lets quick answers be collected into one write.
type Output struct {
	conn *Conn

	// Timeout is the rolling timeout of writes; 0 or less: none. The owner sets it.
	Timeout time.Duration

	// TimedFlush is what the timer of Lend calls; nil: FlushLent. Set once.
	TimedFlush func()

	buf  []byte // nil: nothing is buffered
	n    int    // buf[:n] is buffered
	bulk bool   // the latest write would have filled a small buffer: the next one gets a large one
	sent uint64 // bytes that the connection took
	err  error  // the first error; it sticks

	taken   atomic.Uint64 // sent; for everybody
	offered atomic.Uint64 // sent, with all that is just being written; for everybody

	lending lending // says who may touch the fields above
}

// NewOutput returns the Output of conn.
func NewOutput(conn *Conn) *Output {
	return &Output{conn: conn, lending: lending{back: make(chan struct{}, 1)}}
}

// Buffered returns how many bytes are buffered.
func (out *Output) Buffered() int { return out.n }

// Sent returns how many bytes the connection has taken so far.
func (out *Output) Sent() uint64 { return out.sent }

// Taken returns how many bytes the connection is known to have taken so far: during a write, those before
// it. Any goroutine may call it.
func (out *Output) Taken() uint64 { return out.taken.Load() }

// Offered returns how many bytes the connection may have taken so far: Sent, and during a write also
// what is being written. Any goroutine may call it.
func (out *Output) Offered() uint64 { return out.offered.Load() }

// Queued returns how many bytes have been written to the output so far.
func (out *Output) Queued() uint64 { return out.sent + uint64(out.n) }

// Available returns how many bytes fit into the buffer.
func (out *Output) Available() int {
	out.acquire()
	return len(out.buf) - out.n
}

// AvailableBuffer returns an empty slice with room for Available bytes, to be appended to and
// given to the very next Write.
func (out *Output) AvailableBuffer() []byte {
	out.acquire()
	return out.buf[out.n:][:0]
}

// Write buffers p, and flushes when the buffer is full.
func (out *Output) Write(p []byte) (int, error) {
	written := 0
	for out.err == nil {
		out.acquire()
		n := copy(out.buf[out.n:], p)
		out.n += n
		written += n
		p = p[n:]
		if len(p) == 0 {
			break
		}
		out.Flush()
	}
	return written, out.err
}

// WriteByte buffers one byte.
func (out *Output) WriteByte(b byte) error {
	if out.n == len(out.buf) { // also where there is none
		out.Flush()
	}
	if out.err == nil {
		out.acquire()
		out.buf[out.n] = b
		out.n++
	}
	return out.err
}

// FlushAt is Flush, and returns the time, which after a write is known.
func (out *Output) FlushAt() (time.Time, error) {
	if out.n == 0 || out.err != nil {
		return time.Now(), out.err
	}
	err := out.Flush()
	return out.conn.wrote, err
}

// Flush writes what is buffered. A write that panics fails the output: what the connection took is not known.
func (out *Output) Flush() error {
	if out.n == 0 || out.err != nil {
		return out.err
	}
	out.offered.Store(out.sent + uint64(out.n))
	out.err = errPanicked
	n, err := out.conn.WriteWithin(out.buf[:out.n], out.Timeout)
	out.took(n)
	out.n = 0
	out.err = err
	return err
}

// took notes that the connection took the first n buffered bytes.
func (out *Output) took(n int) {
	out.sent += uint64(n)
	out.taken.Store(out.sent)
	out.offered.Store(out.sent)
	out.bulk = out.n >= BufferSize
	out.n = copy(out.buf, out.buf[n:out.n])
}

// Reset forgets what is buffered and was not sent, and the error of a write that was interrupted.
func (out *Output) Reset() { out.n, out.err = 0, nil }

// Release returns an empty buffer to the pool.
func (out *Output) Release() {
	if out.buf != nil && out.n == 0 {
		Release(out.buf)
		out.buf = nil
	}
}

// acquire makes sure that there is a buffer, and of the right size if nothing is in it.
func (out *Output) acquire() {
	if out.buf != nil && (out.n > 0 || (len(out.buf) == BulkSize) == out.bulk) {
		return
	}
	out.Release()
	out.buf = scratch(out.bulk)
}

// Err returns the error that ended the output.
func (out *Output) Err() error { return out.err }
