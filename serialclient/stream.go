package serialclient

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
)

// Stream is a call whose request and response are streams of any length. The response is read
// from it, by one goroutine, while the request is still being sent. Its Client belongs to it until
// Close.
//
// Read returns io.EOF at the end of the response, and an *Error, with its Outcome, if the call
// fails. Everything that was received before is read first.
type Stream struct {
	binaryutil.BinaryReader

	body   streamBody
	sender sender
	close  sync.Once
}

// Stream starts a call. The request is read until io.EOF, by another goroutine, and sent as it
// comes; nil is an empty request. The context is for the whole call: when it is done, the call
// fails.
//
// If the request fails to be read, the call cannot be completed: the connection is closed, and the
// stream's error, its outcome Unknown, wraps the request's. When the server has answered before the
// request was sent whole, for instance with an error, sending stops, and Close closes the
// connection.
func (c *Client) Stream(ctx context.Context, task serial.TaskCode, request io.Reader) (*Stream, error) {
	if task.IsReserved() {
		return nil, notRun(task, ErrReservedCode)
	}
	t, err := c.begin(ctx, task)
	if err != nil {
		return nil, err
	}
	s := new(Stream)
	s.body.turn = t
	s.sender.requests, s.sender.request, s.sender.done = &c.requests, request, make(chan struct{})
	s.body.sender = &s.sender
	s.BinaryReader = binaryutil.NewReader(&s.body, c.order)
	c.requests.open(task, 0)
	go s.sender.run()
	return s, nil
}

// Close ends the call and gives the connection to the next caller. If the request was sent and the
// response was not read to its end, the rest is read and thrown away first, in the background and
// within bounds, as for a cancelled Call. If the request was not sent whole, the connection is
// closed. It does not wait for a request reader that does not return. Closing again does nothing.
func (s *Stream) Close() error {
	s.close.Do(func() {
		s.body.closed.Store(true)
		select {
		case <-s.sender.done:
		default:
			if s.sender.finishing.Load() && s.body.ended.Load() {
				<-s.sender.done // the server has seen all of it
			} else {
				s.body.turn.c.breakDown(errUnfinished)
			}
		}
		s.body.turn.end()
	})
	return nil
}

// streamBody reads the response of a stream.
type streamBody struct {
	turn   turn
	sender *sender
	err    error       // sticks; the reader's
	ended  atomic.Bool // the response was read whole
	closed atomic.Bool
}

// Read reads the response.
func (b *streamBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.closed.Load() {
		return 0, ErrStreamClosed
	}
	r := &b.turn.c.responses
	r.reading <- struct{}{}
	defer func() { <-r.reading }()
	err := r.readCode()
	if err == nil {
		var n int
		if n, err = r.blocks.Read(p); err == nil {
			return n, nil
		}
	}
	b.err = b.finish(r, err)
	return 0, b.err
}

// finish ends the response, which err did. It returns what Read does from now on.
func (b *streamBody) finish(r *responses, err error) error {
	if err == io.EOF {
		err = nil
	}
	cl, _ := r.head()
	err = b.turn.explain(r.finish(cl, err))
	if err == nil || OutcomeOf(err) == Failed {
		b.ended.Store(true)
		if !b.sender.finishing.Load() {
			r.c.breakDown(errUnfinished) // nobody wants the rest of the request
		}
	}
	if err == nil {
		return io.EOF
	}
	return b.sender.explain(err)
}
