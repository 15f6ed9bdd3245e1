package serialclient

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/internal/transport"
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

// Stream starts a call. The request is read until io.EOF, by another goroutine; nil is an empty request.
// It is sent as it comes, unless it has the method Len() int, as a *bytes.Reader has: then it is taken to be
// in memory, and sent in as few writes as possible. The context is for the whole call: when it is done, the call
// fails.
//
// If the request fails to be read, the call cannot be completed: the connection is closed, and the
// stream's error wraps the request's. Its outcome is Unknown once a byte was sent. When the server
// has answered before the request was sent whole, for instance with an error, sending stops and the
// connection is closed.
func (c *Client) Stream(ctx context.Context, task serial.TaskCode, request io.Reader) (*Stream, error) {
	if task.IsReserved() {
		return nil, notRun(task, ErrReservedCode)
	}
	t, err := c.begin(ctx, task, true)
	if err != nil {
		return nil, err
	}
	s := new(Stream)
	s.body.turn = t
	s.sender.requests, s.sender.request, s.sender.done = &c.requests, request, make(chan struct{})
	s.body.sender = &s.sender
	s.BinaryReader = binaryutil.NewReader(&s.body, c.order)
	c.requests.streaming.Store(true)
	c.requests.open(task, 0)
	go s.sender.run()
	return s, nil
}

// Close ends the call and gives the connection to the next caller. If the request was sent and the
// response was not read to its end, the rest is read and thrown away first, in the background and
// within bounds, as for a cancelled Call. If the request was not read to its end, the connection is
// closed; the request is not read any more then, but a Read of it that is going on is not waited for. A Read that is going on returns
// ErrStreamClosed. Closing again does nothing.
func (s *Stream) Close() error {
	s.close.Do(func() {
		s.body.closed.Store(true)
		c := s.body.turn.c
		c.endRead()
		switch {
		case s.sender.isDone():
		case !s.sender.finishing.Load():
			s.sender.state.Swap(stopped)
			c.breakDown(errUnfinished)
		case c.goBackground():
			go s.endLater()
			return
		}
		s.body.turn.end()
	})
	return nil
}

// endRead ends a read that is going on.
func (c *Client) endRead() {
	select {
	case c.responses.reading <- struct{}{}:
	default:
		c.conn.InterruptRead()
		c.responses.reading <- struct{}{}
		c.conn.ResumeRead()
	}
	<-c.responses.reading
}

// endLater ends a stream's turn when the last of its request was sent. Its response is read
// meanwhile, if need be, so that the server can read on.
func (s *Stream) endLater() {
	c := s.body.turn.c
	defer c.background.Done()
	c.responses.window.forget(c.requests.number)
	c.giveUp = time.Now().Add(abandonedTime)
	tooLong := time.AfterFunc(abandonedTime, func() { c.breakDown(errAbandoned) })
	c.stall.enter(c)
	<-s.sender.done
	c.stall.leave()
	tooLong.Stop()
	s.body.turn.end()
}

// streamBody reads the response of a stream.
type streamBody struct {
	turn   turn
	sender *sender
	err    error // sticks; the reader's
	closed atomic.Bool
}

// Read reads the response.
func (b *streamBody) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, ErrStreamClosed
	}
	if b.err != nil {
		return 0, b.err
	}
	r := &b.turn.c.responses
	r.reading <- struct{}{}
	defer func() { <-r.reading }()
	if b.closed.Load() { // meanwhile: the next response is not ours
		return 0, ErrStreamClosed
	}
	err := r.readCode()
	if err == nil {
		var n int
		if n, err = r.body.Read(p); err == nil {
			return n, nil
		}
	}
	b.err = b.finish(r, err)
	return 0, b.err
}

// finish ends the response, which err did. It returns what Read does from now on.
func (b *streamBody) finish(r *responses, err error) error {
	if err == transport.ErrInterrupted && b.closed.Load() {
		return ErrStreamClosed
	}
	if err == io.EOF {
		err = nil
	}
	cl, _ := r.window.head()
	err = b.turn.explain(r.finish(cl, err))
	if err == nil || OutcomeOf(err) == Failed {
		if !b.sender.finishing.Load() {
			r.c.breakDown(errUnfinished) // nobody wants the rest of the request
		}
	}
	if err == nil {
		return io.EOF
	}
	return b.sender.explain(err)
}
