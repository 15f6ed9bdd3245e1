package transport

import (
	"errors"
	"sync"
	"time"
)

// idleAfter is how long an input that waits for its next byte keeps its buffer. A connection that
// is busy never gives it up, an idle one holds only the few bytes of Input itself.
const idleAfter = time.Second

// Input is the buffered reading half of a Conn. It is a serial.Source: Peek, Discard and Buffered
// are those of bufio.Reader.
//
// One goroutine at a time owns it. ReadAhead alone may be called by any goroutine.
type Input struct {
	conn *Conn

	// BeforeRead is called before each read of the connection, which may block. It is where the
	// output is flushed, so that no answer is held back while its reader is waited for. Its error
	// ends the read. Set once.
	BeforeRead func() error

	// Timeout is the rolling timeout of reads other than Wait's; 0 or less: none. Set once.
	Timeout time.Duration

	// Deadline says when Wait times out; the zero time means never. It is asked when Wait begins,
	// after Recheck, and again before Wait gives up. Set once.
	Deadline func() time.Time

	buf  []byte   // nil: nothing is buffered
	r, w int      // buf[r:w] is buffered
	bulk bool     // the latest read would have filled a small buffer: the next one gets a large one
	err  error    // the first error; it sticks
	tiny [64]byte // what an idle connection waits with

	mu      sync.Mutex // guards what follows
	blocked bool       // the owner is in a read of the connection
	closed  bool       // no read-ahead begins any more
	waiting bool       // the owner is in Wait
	limit   time.Time  // when Wait looks up, whatever its Deadline; zero: not
	ahead   *ahead     // what is or was read ahead and the owner has not taken wholly
}

// NewInput returns the Input of conn, which has no other.
func NewInput(conn *Conn) *Input {
	in := &Input{conn: conn}
	conn.input = in
	return in
}

// Buffered returns how many bytes are buffered.
func (in *Input) Buffered() int { return in.w - in.r }

// Discard drops the next n buffered bytes, of which there must be as many.
func (in *Input) Discard(n int) (int, error) {
	in.r += n
	return n, nil
}

// Peek returns the next n buffered bytes without taking them, n being at most the larger of
// Buffered and 1. Where nothing is buffered it reads, within Timeout and the minimum rate. The
// slice is valid until the next call of Peek, Wait or Release.
func (in *Input) Peek(n int) ([]byte, error) {
	if in.r == in.w {
		if err := in.fill(time.Time{}, in.rolling); err != nil {
			return nil, err
		}
	}
	if n > in.w-in.r {
		return nil, errors.New("transport: peek beyond the buffered bytes")
	}
	return in.buf[in.r : in.r+n], nil
}

// Wait makes sure that something is buffered, now. It waits for it until the Deadline, whatever the
// minimum rate, and holds no buffer for most of that time.
func (in *Input) Wait(now time.Time) error {
	if in.r < in.w {
		return nil
	}
	return in.fill(now, in.wait)
}

// Recheck makes a Wait that another goroutine is in ask for its Deadline again.
func (in *Input) Recheck() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.waiting {
		in.conn.SetReadDeadline(earlier(in.Deadline(), in.limit))
	}
}

// Acquire makes sure that there is a buffer, so that the next Wait begins with one and need not read
// twice.
func (in *Input) Acquire() {
	if in.r == in.w {
		in.acquire()
	}
}

// Release returns an empty buffer to the pool.
func (in *Input) Release() {
	if in.r == in.w {
		in.drop()
	}
}

// fill fills the empty buffer by one read, or with what was read ahead. Read takes the read-ahead
// over that it is given, if any.
func (in *Input) fill(now time.Time, read func(time.Time, *ahead) (int, error)) error {
	if in.err != nil {
		return in.err
	}
	if in.BeforeRead != nil {
		if err := in.BeforeRead(); err != nil {
			return err
		}
	}
	n, err := in.readOnce(now, read)
	in.r, in.w, in.bulk = 0, n, n >= BufferSize
	if err != nil && err != ErrInterrupted {
		in.err = err
	}
	return err
}

// readOnce is fill's read. One that panics fails the input: what it has read is not known.
func (in *Input) readOnce(now time.Time, read func(time.Time, *ahead) (int, error)) (int, error) {
	in.err = errPanicked
	defer in.leave()
	n, a, err := in.enter()
	if n == 0 && err == nil {
		n, err = read(now, a)
	}
	in.err = nil
	return n, err
}

// enter returns what was read ahead. If there is nothing a read of the connection begins, which is to
// take over the read-ahead that enter returns, if any.
func (in *Input) enter() (int, *ahead, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	a := in.ahead
	if a != nil && (a.ended || a.r < a.n) {
		n, err := in.takeLocked(a)
		if n > 0 || a.failure() != nil {
			return n, nil, err
		}
		a = nil // it was interrupted then, which says nothing about now
	}
	in.blocked = true
	return 0, a, nil
}

// leave ends a read.
func (in *Input) leave() {
	in.mu.Lock()
	in.blocked = false
	in.mu.Unlock()
}

// rolling is a read within Timeout and the minimum rate.
func (in *Input) rolling(_ time.Time, a *ahead) (int, error) {
	begin := time.Now()
	now := begin
	if a != nil {
		var n int
		var err error
		if n, now, err = in.takeOverWithin(begin, a); err != ErrTimeout {
			return n, err
		}
	}
	in.acquire()
	return in.conn.readSince(begin, now, in.buf, in.Timeout)
}

// takeOverWithin is takeOver within Timeout and the minimum rate, and returns the time. ErrTimeout says no
// more than that the read is to be tried anew.
func (in *Input) takeOverWithin(begin time.Time, a *ahead) (int, time.Time, error) {
	pace := &in.conn.readPace
	in.conn.SetReadDeadline(earlier(after(begin, in.Timeout), pace.deadline(begin)))
	n, err := in.takeOver(a)
	now := time.Now()
	if slow := pace.moved(n, now.Sub(begin)); slow != nil {
		return 0, now, slow
	}
	return n, now, err
}

// wait is a read that may last: after a while it goes on without a buffer.
func (in *Input) wait(now time.Time, a *ahead) (int, error) {
	defer in.endWait()
	if a != nil || in.buf != nil {
		n, err := in.waitWithBuffer(now, a)
		if err != ErrTimeout {
			return n, err
		}
		in.drop()
	}
	for {
		if err := in.beginWait(time.Time{}); err != nil {
			return 0, err
		}
		n, err := in.conn.read(in.tiny[:])
		if n > 0 {
			in.acquire()
			copy(in.buf, in.tiny[:n])
		}
		if err != ErrTimeout || in.late() {
			return n, err
		}
	}
}

// waitWithBuffer waits for a while.
func (in *Input) waitWithBuffer(now time.Time, a *ahead) (int, error) {
	if err := in.beginWait(now.Add(idleAfter)); err != nil && a == nil {
		return 0, err
	}
	if a != nil {
		return in.takeOver(a)
	}
	in.acquire()
	return in.conn.read(in.buf)
}

// beginWait arms the read deadline: Deadline or limit, whichever is earlier.
func (in *Input) beginWait(limit time.Time) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.waiting, in.limit = true, limit
	return in.conn.beginRead(earlier(in.Deadline(), limit))
}

func (in *Input) endWait() {
	in.mu.Lock()
	in.waiting = false
	in.mu.Unlock()
}

// late reports whether the Deadline has passed.
func (in *Input) late() bool {
	until := in.Deadline()
	return !until.IsZero() && !time.Now().Before(until)
}

// acquire makes sure that there is a buffer of the right size. Nothing is buffered.
func (in *Input) acquire() {
	if in.buf != nil && (len(in.buf) == BulkSize) == in.bulk {
		return
	}
	in.drop()
	in.buf = scratch(in.bulk)
}

func (in *Input) drop() {
	if in.buf != nil {
		Release(in.buf)
		in.buf = nil
	}
}
