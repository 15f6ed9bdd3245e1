package serialclient

import (
	"context"
	"sync"

	"github.com/serialkit/serialkit/serial"
)

// Pipeline sends calls without waiting for the responses of those before. The server runs them one
// after the other and answers in order. Its Client belongs to it until Close.
//
// One goroutine may Send while another one Receives.
type Pipeline struct {
	turn turn

	mu     sync.Mutex // held by Send, and for a moment by Close
	closed bool
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
// or a Receive has to wait, and otherwise within a millisecond. Send never waits for responses: if
// the server does not read on because its own responses are not read, they are kept, up to 16 MiB
// in all.
//
// An error says that the call was not sent, its outcome being NotRun. After each Send that
// succeeded one Receive tells what became of the call.
func (p *Pipeline) Send(task serial.TaskCode, request []byte) error {
	c := p.turn.c
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case task.IsReserved():
		return notRun(task, ErrReservedCode)
	case p.closed:
		return notRun(task, ErrClosed)
	case p.turn.ctx.Err() != nil:
		return notRun(task, context.Cause(p.turn.ctx))
	}
	if err := c.whyBroken(); err != nil {
		return notRun(task, err)
	}
	c.stall.enter(c) // a flush of what was sent before may be going on
	err := c.requests.output.Reclaim()
	c.stall.leave()
	defer c.requests.output.Lend()
	if err != nil {
		return notRun(task, p.turn.explain(err))
	}
	c.requests.send(task, request, false)
	return nil
}

// Receive waits for the response of the oldest call that has not been received, and returns it
// appended to dst. The error is that of the call, as for Client.Call.
func (p *Pipeline) Receive(dst []byte) ([]byte, error) {
	p.turn.c.requests.flushLent()
	response, err := p.turn.c.responses.receive(dst)
	return response, p.turn.explain(err)
}

// Close gives the connection to the next caller. Responses that were not received are read and
// thrown away first, in the background and within bounds, as for a cancelled Call. No Send or
// Receive may be going on. Closing again does nothing.
func (p *Pipeline) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	c := p.turn.c
	c.stall.enter(c)
	c.requests.output.Reclaim()
	c.stall.leave()
	c.requests.output.Stop()
	c.requests.flush()
	p.turn.end()
	return nil
}
