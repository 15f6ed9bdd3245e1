package serialclient

import (
	"context"

	"github.com/serialkit/serialkit/internal/transport"
	"github.com/serialkit/serialkit/serial"
)

// Call runs a task: it sends the request and returns the response, of at most WithMaxResponse
// bytes. The request is not kept; the response is the caller's. The error is an *Error, whose
// Outcome says whether the task may have run.
//
// When ctx is done Call returns at once. If the response is still to come, it is read and thrown
// away before the connection is used again, within 5 s and 1 MiB; beyond that the connection is
// closed.
//
// Should the response be complete before the request was sent, the rest of a request of up to
// 256 KiB is sent all the same; a larger one costs the connection.
func (c *Client) Call(ctx context.Context, task serial.TaskCode, request []byte) ([]byte, error) {
	return c.AppendCall(ctx, nil, task, request)
}

// AppendCall is Call with the response appended to dst, which lets a caller reuse its memory. With
// an error it returns dst as it was; what lies between its length and its capacity may have changed.
func (c *Client) AppendCall(ctx context.Context, dst []byte, task serial.TaskCode, request []byte) ([]byte, error) {
	if task.IsReserved() {
		return dst, notRun(task, ErrReservedCode)
	}
	return c.roundTrip(ctx, dst, task, request)
}

// roundTrip is AppendCall for any task code.
func (c *Client) roundTrip(ctx context.Context, dst []byte, task serial.TaskCode, request []byte) ([]byte, error) {
	t, err := c.begin(ctx, task, !c.exchanges(request))
	if err != nil {
		return dst, err
	}
	return t.roundTrip(dst, task, request)
}

// roundTrip makes a call, which ends the turn.
func (t turn) roundTrip(dst []byte, task serial.TaskCode, request []byte) ([]byte, error) {
	response := dst
	err := t.send(task, request)
	if err == nil {
		response, err = t.c.responses.receive(dst)
	}
	t.end()
	return response, t.explain(err)
}

// exchanges reports whether a request is sent by an exchange: whether it fits into a buffer.
func (c *Client) exchanges(request []byte) bool {
	return c.exchange != nil && 1+serial.EncodedLen(len(request)) <= transport.BufferSize
}

// send sends a request. The error is that of a call that was not sent, because the server has closed the
// connection. What becomes of it otherwise is for receive to say.
func (t turn) send(task serial.TaskCode, request []byte) error {
	c := t.c
	if !c.exchanges(request) {
		c.requests.send(task, request, true)
		return nil
	}
	if c.responses.input.Buffered() > 0 || c.requests.exchange(task, request) {
		return notRun(task, c.unasked())
	}
	return nil
}

// explain puts the context's cause into the error of a call that it interrupted.
func (t turn) explain(err error) error {
	if e, ok := err.(*Error); ok && e.Err == transport.ErrInterrupted {
		e.Err = context.Cause(t.ctx)
	}
	return err
}
