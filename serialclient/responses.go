package serialclient

import (
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/serialkit/serialkit/internal/transport"
	"github.com/serialkit/serialkit/serial"
)

// responses is the receiving half of a connection. Who holds reading may read.
type responses struct {
	c       *Client
	reading chan struct{} // a token
	window  window        // has its own lock

	input  *transport.Input // guarded by reading, as the next three
	body   body             // of the response that is being read
	state  readState        // how far it is
	failed error            // why no further response comes
	began  atomic.Int64     // when the response began to be waited for, in ns since c.start
}

// readState says what comes next from the server. A read may be interrupted in each state, and be
// taken up again.
type readState uint8

const (
	atCode  readState = iota // a response code
	atError                  // the error code of an Error response
	inBody                   // the body of an OK response
)

func (r *responses) init(c *Client) {
	r.c = c
	r.reading = make(chan struct{}, 1)
	r.input = transport.NewInput(c.conn)
	r.input.Timeout = c.opts.timeout.Read
	r.input.Deadline = r.deadline
}

// deadline returns when the first byte of the next response is late.
func (r *responses) deadline() time.Time {
	at := func(ns int64, d time.Duration) time.Time { return r.c.start.Add(time.Duration(ns)).Add(d) }
	if f := r.c.requests.failed.Load(); f != nil {
		return at(f.at, transport.LingerQuiet)
	}
	wait := r.c.opts.timeout.Wait
	head, ok := r.window.head()
	if wait <= 0 || !ok || head.sentAt == sending {
		return time.Time{}
	}
	if r.c.requests.writing.Load() > 0 && head.end > r.c.requests.output.Taken() {
		return time.Time{} // its end is being written
	}
	return at(max(head.sentAt, r.began.Load()), wait)
}

// receive returns the next response, appended to dst.
func (r *responses) receive(dst []byte) ([]byte, error) {
	if resp, ok := r.window.takeEarly(); ok {
		return append(dst, resp.body...), resp.err
	}
	r.reading <- struct{}{} // free, unless a write was stalled and it is being read beside it
	defer func() { <-r.reading }()
	if resp, ok := r.window.takeEarly(); ok {
		return append(dst, resp.body...), resp.err
	}
	return r.read(dst)
}

// receivable reports whether a call was sent that has not been received.
func (r *responses) receivable() bool {
	r.reading <- struct{}{} // what is being read beside a stalled write is in neither queue
	defer func() { <-r.reading }()
	_, _, asked := r.window.asked()
	return asked || r.window.hasEarly()
}

// mustWait reports whether receive would have to wait for the next response to begin. A flush that
// it needs is the caller's: a write may block until responses are read, and no reader may wait for it.
func (r *responses) mustWait() bool {
	if r.window.hasEarly() {
		return false
	}
	select {
	case r.reading <- struct{}{}:
		defer func() { <-r.reading }()
	default:
		return true
	}
	head, ok := r.window.head()
	offered := r.c.requests.output.Offered()
	switch {
	case !ok:
		return false
	case r.input.Buffered() == 0:
		return true
	default: // what is there before anything of the call was sent is no response to it
		return head.start < offered && head.end > offered
	}
}

// read reads the response that is asked for next, appended to dst.
func (r *responses) read(dst []byte) ([]byte, error) {
	cl, isHead, ok := r.window.asked()
	if !ok {
		return dst, errNothingSent
	}
	if !isHead {
		r.window.giveUp()
		return dst, r.lost(cl, transport.ErrInterrupted)
	}
	response, err := r.readFor(cl, dst)
	if isInterrupted(err) {
		r.window.giveUp()
	}
	return response, err
}

// isInterrupted reports whether err is that of a call whose response is still to come.
func isInterrupted(err error) bool {
	e, ok := err.(*Error)
	return ok && e.Err == transport.ErrInterrupted
}

// readFor reads the response of cl, the head of the queue, appended to dst.
func (r *responses) readFor(cl call, dst []byte) ([]byte, error) {
	body := dst
	err := r.readCode()
	if err == nil {
		body, err = r.readBody(dst)
	}
	if err := r.finish(cl, err); err != nil {
		return dst, err
	}
	return body, nil
}

// finish ends the reading of cl's response. It returns the error of the call.
func (r *responses) finish(cl call, err error) error {
	coder, isAnswer := err.(*serial.Error)
	switch {
	case err == nil:
		r.answered(cl)
		return nil
	case isAnswer:
		r.answered(cl)
		return &Error{Task: cl.task, Outcome: Failed, Err: coder}
	default:
		return r.lost(cl, err)
	}
}

// answered takes cl, whose response has been read whole, from the queue.
func (r *responses) answered(cl call) {
	r.state = atCode
	if r.window.answered(cl) {
		r.c.conn.InterruptWrite()
	}
}

// lost is the error of a call whose response could not be read. If it was interrupted it can still
// be; otherwise nothing more comes.
func (r *responses) lost(cl call, err error) error {
	if err != transport.ErrInterrupted {
		r.window.lost()
		r.fail(cl, err)
		err = r.failed
	}
	outcome := Unknown
	if err == ErrGoodbye || cl.start >= r.c.requests.output.Offered() {
		outcome = NotRun
	}
	return &Error{Task: cl.task, Outcome: outcome, Err: err}
}

// fail closes the connection and notes why no further response comes: what ended it first.
func (r *responses) fail(cl call, err error) {
	if r.failed != nil {
		return
	}
	if wrote := r.c.requests.failure(); wrote != nil && err == transport.ErrTimeout {
		err = wrote
	}
	reason := err
	if err == ErrGoodbye && cl.task == serial.TaskDisconnect {
		reason = ErrClosed // as was asked for
	}
	r.c.breakDown(reason)
	if err != ErrGoodbye {
		err = r.c.Err()
	}
	r.failed = err
}

// readCode reads the response code, unless that was done already. nil means that a body follows;
// an Error response is a *serial.Error.
func (r *responses) readCode() error {
	if r.failed != nil {
		return r.failed
	}
	if r.state == atCode {
		if err := r.readResponseCode(); err != nil {
			return err
		}
	}
	if r.state == inBody {
		return nil
	}
	code, err := r.readByte()
	if err != nil {
		return err
	}
	return &serial.Error{Code: serial.ErrorCode(code)}
}

// readResponseCode waits for the response code, and notes what follows it.
func (r *responses) readResponseCode() error {
	if r.input.Buffered() == 0 {
		now := time.Now()
		r.began.Store(int64(now.Sub(r.c.start)))
		r.input.Acquire()
		if err := r.input.Wait(now); err != nil {
			return unexpected(err)
		}
	}
	code, err := r.readByte()
	if err != nil {
		return err
	}
	head, ok := r.window.head()
	if ok && serial.ResponseCode(code) != serial.ResponseGoodbye && head.start >= r.c.requests.output.Offered() {
		return ErrProtocol // to a request of which nothing was sent
	}
	switch serial.ResponseCode(code) {
	case serial.ResponseOK:
		r.state = inBody
		r.body.reset(r.input)
	case serial.ResponseError:
		r.state = atError
	case serial.ResponseGoodbye:
		return ErrGoodbye
	default:
		return ErrProtocol
	}
	return nil
}

func (r *responses) readByte() (byte, error) {
	b, err := r.input.Peek(1)
	if err != nil {
		return 0, unexpected(err)
	}
	code := b[0]
	r.input.Discard(1)
	return code, nil
}

// readBody appends the body to dst, within the limit. It grows dst as bytes arrive.
func (r *responses) readBody(dst []byte) ([]byte, error) {
	limit := len(dst) + r.c.opts.maxResponse
	for !r.body.ended() {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, max(min(len(dst), 1<<20), 512))
		}
		n, err := r.body.Read(dst[len(dst):min(cap(dst), limit+1)])
		dst = dst[:len(dst)+n]
		if len(dst) > limit {
			return dst, ErrTooLarge
		}
		if err != nil && err != io.EOF {
			return dst, err
		}
	}
	return dst, nil
}

// discard reads the next response and throws it away. It stops when that was more than limit bytes.
func (r *responses) discard(limit int64) (n int64, err error) {
	r.reading <- struct{}{}
	defer func() { <-r.reading }()
	return r.discardReading(limit)
}

// discardReading is discard for who holds reading.
func (r *responses) discardReading(limit int64) (n int64, err error) {
	cl, ok := r.window.head()
	if !ok {
		return 0, nil
	}
	err = r.readCode()
	for err == nil && n <= limit {
		var k int64
		k, err = r.body.discard(limit + 1 - n)
		n += k
	}
	if _, isAnswer := err.(*serial.Error); isAnswer || err == io.EOF {
		r.answered(cl)
		err = nil
	}
	return n, err
}

// unsolicited reads what a server has said while nothing was asked.
func (r *responses) unsolicited() error {
	code, err := r.readByte()
	switch {
	case err != nil:
		return ErrServerGone
	case serial.ResponseCode(code) == serial.ResponseGoodbye:
		return ErrGoodbye
	}
	return ErrProtocol
}
