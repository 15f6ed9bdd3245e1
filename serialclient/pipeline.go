package serialclient

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"github.com/serialkit/serialkit/serial"
)

// Pipeline sends calls without waiting for the responses of those before. The server runs them one
// after the other and answers in order. Its Client belongs to it until Close.
//
// One goroutine may Send while another one Receives.
type Pipeline struct {
	turn   turn
	mu     sync.Mutex  // held by Send, and for a moment by CloseSend and Close
	closed atomic.Bool // by Close

	ended   chan struct{} // closed by CloseSend and Close: no call is sent any more
	end     sync.Once     // closes it
	waiting atomic.Bool   // a Receive waits for a Send
	sent    chan struct{} // a token for that Receive
}

// Pipeline waits for its turn and returns a Pipeline. The context is for all of it: when it is
// done, Send and Receive fail.
func (c *Client) Pipeline(ctx context.Context) (*Pipeline, error) {
	t, err := c.begin(ctx, 0, true)
	if err != nil {
		return nil, nothingRun(err.(*Error).Err)
	}
	c.requests.streaming.Store(false)
	c.requests.output.Lend()
	return &Pipeline{turn: t, ended: make(chan struct{}), sent: make(chan struct{}, 1)}, nil
}

// Send starts a call. The request is not kept. It is sent when a buffer of 16 or 64 KiB is full,
// when a Receive begins to wait, and otherwise within a millisecond. Send never waits
// for responses: if the server does not read on because its own responses are not read, they are
// kept.
//
// What was sent and not received has a room of 16 MiB, of which each call takes 64 bytes and the
// bytes of its response if that had to be kept. When it is full Send fails with ErrPipelineFull;
// when a response does not fit, the connection is closed.
//
// An error says that the call was not sent, its outcome being NotRun. After each Send that
// succeeded one Receive tells what became of the call.
func (p *Pipeline) Send(task serial.TaskCode, request []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.maySend(task); err != nil {
		return notRun(task, err)
	}
	c := p.turn.c
	err := p.reclaim()
	defer c.requests.output.Lend()
	if err != nil {
		return p.turn.explain(notRun(task, err))
	}
	c.requests.send(task, request, false)
	p.wake()
	return nil
}

// CloseSend says that no more calls are sent. When the responses of those that were sent have been
// received, Receive returns io.EOF. Closing again does nothing.
func (p *Pipeline) CloseSend() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end.Do(func() { close(p.ended) })
	return nil
}

// maySend returns nil, or why a call cannot be sent.
func (p *Pipeline) maySend(task serial.TaskCode) error {
	c := p.turn.c
	switch {
	case task.IsReserved():
		return ErrReservedCode
	case p.isEnded():
		return ErrPipelineClosed
	case p.turn.ctx.Err() != nil:
		return context.Cause(p.turn.ctx)
	case c.Err() == nil && c.responses.window.full():
		return ErrPipelineFull
	}
	return c.whyBroken()
}

// reclaim takes the output back. It waits for a flush of what was sent before.
func (p *Pipeline) reclaim() error {
	c := p.turn.c
	c.stall.enter(c)
	defer c.stall.leave()
	return c.requests.output.Reclaim()
}

// Receive waits for the response of the oldest call that has not been received, and returns it
// appended to dst. The error is that of the call, as for Client.Call.
//
// When all calls have been received it waits for another goroutine's Send, and does not notice what the server does
// meanwhile. It returns io.EOF after
// CloseSend, ErrPipelineClosed after Close, and an *Error that names no task, its outcome NotRun, when
// ctx is done or the connection is closed.
func (p *Pipeline) Receive(dst []byte) ([]byte, error) {
	r := &p.turn.c.responses
	for !p.closed.Load() {
		if r.mustWait() {
			p.turn.c.requests.flushLent()
		}
		response, err := r.receive(dst)
		if err != errNothingSent {
			return response, p.turn.explain(err)
		}
		if err := p.awaitSend(); err != nil {
			return dst, err
		}
	}
	return dst, ErrPipelineClosed
}

// awaitSend waits until there may be a call that can be received.
func (p *Pipeline) awaitSend() error {
	p.waiting.Store(true)
	defer p.waiting.Store(false)
	switch ended := p.isEnded(); { // asked first: what was sent before is then seen
	case p.turn.c.responses.receivable():
		return nil
	case ended:
		return io.EOF
	}
	select {
	case <-p.sent:
	case <-p.ended:
	case <-p.turn.ctx.Done():
		return nothingRun(context.Cause(p.turn.ctx))
	case <-p.turn.c.closed:
		return nothingRun(p.turn.c.whyBroken())
	}
	return nil
}

// wake lets a Receive that waits for a Send look again.
func (p *Pipeline) wake() {
	if p.waiting.Load() {
		select {
		case p.sent <- struct{}{}:
		default: // it has been told
		}
	}
}

func (p *Pipeline) isEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Close gives the connection to the next caller. Responses that were not received are read and
// thrown away first, in the background and within bounds, as for a cancelled Call. No Send or
// Receive may be going on. Closing again does nothing.
func (p *Pipeline) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.Swap(true) {
		return nil
	}
	p.end.Do(func() { close(p.ended) })
	p.reclaim()
	c := p.turn.c
	c.requests.output.Stop()
	c.requests.flush()
	p.turn.end()
	return nil
}
