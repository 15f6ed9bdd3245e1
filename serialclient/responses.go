package serialclient

import (
	"io"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/serialkit/serialkit/internal/transport"
	"github.com/serialkit/serialkit/serial"
)

// earlyLimit is the size of a request up to which it is sent to its end even when its response is
// complete already, so that the connection can be used further. It is what a server is bound to
// discard (docs/protocol.md, "Unread input").
const earlyLimit = 256 << 10

// pipelineRoom is how many bytes of responses are kept for a pipeline that sends without
// receiving: 16 MiB.
const pipelineRoom = 16 << 20

// call is one call whose response has not been read.
type call struct {
	task   serial.TaskCode
	number uint64 // from 1, in the order of sending
	size   int    // bytes of the request, as far as they are known beforehand
	start  uint64 // where in the output its request begins
	end    uint64 // and where it ends; math.MaxUint64: it has not been written whole
}

// response is one that was read before it was asked for.
type response struct {
	body []byte
	err  error
}

// responses is the receiving half of a connection: the queue of calls whose responses are still to
// be read, and those that were read early. Who holds reading may read.
type responses struct {
	c       *Client
	reading chan struct{} // a token

	input  *transport.Input // guarded by reading, as the next three
	blocks serial.Reader    // of the response that is being read
	inBody bool             // its code was read
	failed error            // why no further response comes
	began  atomic.Int64     // when the response began to be waited for, in ns since c.start

	mu        sync.Mutex // guards what follows
	queue     []call
	early     []response // of the calls before the queue's
	size      int        // bytes in early
	forgotten uint64     // nobody asks for the responses of calls up to this number
	writing   uint64     // the call whose request is not yet in the output; 0: none
	stopped   bool       // its writing was stopped, because its response is complete
}

func (r *responses) init(c *Client) {
	r.c = c
	r.reading = make(chan struct{}, 1)
	r.input = transport.NewInput(c.conn)
	r.input.Timeout = c.opts.timeout.Read
	r.input.Deadline = r.deadline
}

// deadline returns when the first byte of the next response is late.
func (r *responses) deadline() time.Time {
	at := func(ns int64, d time.Duration) time.Time { return r.c.start.Add(time.Duration(ns) + d) }
	wait := r.c.opts.timeout.Wait
	sent := r.c.requests.sentAt.Load()
	switch f := r.c.requests.failed.Load(); {
	case f != nil:
		return at(f.at, transport.LingerQuiet)
	case wait <= 0 || sent == sending:
		return time.Time{}
	default:
		return at(max(sent, r.began.Load()), wait)
	}
}

// push queues a call whose request begins to be written.
func (r *responses) push(cl call) {
	cl.end = math.MaxUint64
	r.mu.Lock()
	r.queue = append(r.queue, cl)
	r.writing, r.stopped = cl.number, false
	r.mu.Unlock()
}

// sealed notes where the request that was being written ends.
func (r *responses) sealed(end uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.queue); n > 0 && r.queue[n-1].number == r.writing {
		r.queue[n-1].end = end
	}
	if r.stopped { // too late
		r.c.conn.ResumeWrite()
	}
	r.writing, r.stopped = 0, false
}

// isStopped reports whether the request that is being written was stopped.
func (r *responses) isStopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopped
}

// head returns the call whose response comes next.
func (r *responses) head() (call, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		return call{}, false
	}
	return r.queue[0], true
}

// popLocked removes the head of the queue.
func (r *responses) popLocked() {
	r.queue = r.queue[:copy(r.queue, r.queue[1:])]
}

// outstanding reports whether there are calls whose responses have not been read.
func (r *responses) outstanding() bool {
	_, ok := r.head()
	return ok
}

// sentUpTo forgets the calls that begin at or after offset sent of the output, because no byte of
// them was sent. It reports false if one was sent in part.
func (r *responses) sentUpTo(sent uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.queue)
	for n > 0 && r.queue[n-1].start >= sent {
		n--
	}
	if n < len(r.queue) {
		r.queue, r.writing = r.queue[:n], 0
	}
	return r.writing == 0 && (n == 0 || r.queue[n-1].end <= sent)
}

// takeEarly returns the oldest response that was read early.
func (r *responses) takeEarly() (response, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.early) == 0 {
		return response{}, false
	}
	first := r.early[0]
	r.early = slices.Delete(r.early, 0, 1)
	r.size -= len(first.body)
	return first, true
}

// putEarly keeps the response of a call. It reports false when there is no more room.
func (r *responses) putEarly(number uint64, resp response) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if number <= r.forgotten {
		return true
	}
	r.early = append(r.early, resp)
	r.size += len(resp.body)
	return r.size < pipelineRoom
}

// forget drops the responses that nobody has asked for, and those still to come, of the calls up
// to a number.
func (r *responses) forget(number uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.early, r.size, r.forgotten = nil, 0, number
}

// receive returns the next response, appended to dst.
func (r *responses) receive(dst []byte) ([]byte, error) {
	if resp, ok := r.takeEarly(); ok {
		return append(dst, resp.body...), resp.err
	}
	select {
	case r.reading <- struct{}{}:
	default:
		r.reading <- struct{}{} // a write was stalled, and it is being read beside it
	}
	defer func() { <-r.reading }()
	if resp, ok := r.takeEarly(); ok {
		return append(dst, resp.body...), resp.err
	}
	return r.read(dst)
}

// read reads the response of the head of the queue, appended to dst.
func (r *responses) read(dst []byte) ([]byte, error) {
	cl, ok := r.head()
	if !ok {
		return dst, errNothingSent
	}
	return r.readFor(cl, dst)
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

// answered takes cl, whose response has been read whole, from the queue. If its request is large
// and still being written, that is stopped: nobody wants the rest.
func (r *responses) answered(cl call) {
	r.inBody = false
	r.mu.Lock()
	defer r.mu.Unlock()
	r.popLocked()
	if cl.size > earlyLimit && r.writing == cl.number {
		r.stopped = true
		r.c.conn.InterruptWrite()
	}
}

// lost is the error of a call whose response could not be read. If it was interrupted it can still
// be; otherwise nothing more comes.
func (r *responses) lost(cl call, err error) error {
	if err != transport.ErrInterrupted {
		r.fail(err)
		err = r.failed
	}
	outcome := Unknown
	if err == ErrGoodbye || cl.start >= r.c.requests.output.Offered() {
		outcome = NotRun
	}
	return &Error{Task: cl.task, Outcome: outcome, Err: err}
}

// fail gives the head of the queue up and notes why no further response comes: what ended the
// connection first.
func (r *responses) fail(err error) {
	r.mu.Lock()
	r.popLocked()
	r.mu.Unlock()
	if r.failed != nil {
		return
	}
	if wrote := r.c.requests.failure(); wrote != nil && err == transport.ErrTimeout {
		err = wrote
	}
	r.c.breakDown(err)
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
	if r.inBody {
		return nil
	}
	r.began.Store(int64(time.Since(r.c.start)))
	if err := r.input.Wait(); err != nil {
		return unexpected(err)
	}
	return r.readResponseCode()
}

func (r *responses) readResponseCode() error {
	code, err := r.readByte()
	if err != nil {
		return err
	}
	switch serial.ResponseCode(code) {
	case serial.ResponseOK:
		r.inBody = true
		r.blocks.Reset(r.input)
		return nil
	case serial.ResponseError:
		code, err := r.readByte()
		if err != nil {
			return err
		}
		return &serial.Error{Code: serial.ErrorCode(code)}
	case serial.ResponseGoodbye:
		return ErrGoodbye
	}
	return ErrProtocol
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

// unexpected makes the end of the connection what it is in the middle of something.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readBody appends the body to dst, within the limit. It grows dst as bytes arrive.
func (r *responses) readBody(dst []byte) ([]byte, error) {
	limit := len(dst) + r.c.opts.maxResponse
	for !r.blocks.Ended() {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, max(min(len(dst), 1<<20), 512))
		}
		n, err := r.blocks.Read(dst[len(dst):min(cap(dst), limit+1)])
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

// discard reads at most limit bytes of the next response and throws them away.
func (r *responses) discard(limit int64) (int64, error) {
	r.reading <- struct{}{}
	defer func() { <-r.reading }()
	cl, ok := r.head()
	if !ok {
		return 0, nil
	}
	err := r.readCode()
	if err == nil {
		n, err := r.blocks.Discard(limit)
		if err == io.EOF {
			r.answered(cl)
			err = nil
		}
		return n, err
	}
	if _, ok := err.(*serial.Error); ok {
		r.answered(cl)
		err = nil
	}
	return 0, err
}

// unsolicited reads what a server has said while nothing was asked.
func (r *responses) unsolicited() error {
	err := r.readResponseCode()
	if err == ErrGoodbye {
		return err
	}
	if err == nil || err == ErrProtocol {
		return ErrProtocol
	}
	return ErrServerGone
}
