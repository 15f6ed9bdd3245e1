package serialclient

import (
	"context"
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
	mu     sync.Mutex // held by Send, and for a moment by Close
	closed atomic.Bool
}

// Pipeline waits for its turn and returns a Pipeline. The context is for all of it: when it is
// done, Send and Receive fail.
func (c *Client) Pipeline(ctx context.Context) (*Pipeline, error) {
	t, err := c.begin(ctx, 0)
	if err != nil {
		return nil, err
	}
	c.requests.output.Lend()
	return &Pipeline{turn: t}, nil
}

// Send starts a call. The request is not kept. It is sent at once when a buffer of 16 KiB is full
// or a Receive waits for a response to begin, and otherwise within a millisecond. Send never waits
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
	return nil
}

// maySend returns nil, or why a call cannot be sent.
func (p *Pipeline) maySend(task serial.TaskCode) error {
	c := p.turn.c
	switch {
	case task.IsReserved():
		return ErrReservedCode
	case p.closed.Load():
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
// appended to dst. The error is that of the call, as for Client.Call, or says that there is none.
func (p *Pipeline) Receive(dst []byte) ([]byte, error) {
	if p.closed.Load() {
		return dst, ErrPipelineClosed
	}
	c := p.turn.c
	if c.responses.mustWait() {
		c.requests.flushLent()
	}
	response, err := c.responses.receive(dst)
	return response, p.turn.explain(err)
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
	p.reclaim()
	c := p.turn.c
	c.requests.output.Stop()
	c.requests.flush()
	p.turn.end()
	return nil
}
