package serialclient

import (
	"context"
	"fmt"
	"time"

	"github.com/serialkit/serialkit/internal/transport"
	"github.com/serialkit/serialkit/serial"
)

// The bounds within which the responses of abandoned calls are read and thrown away. Beyond them a
// new connection is cheaper.
const (
	abandonedTime  = 5 * time.Second
	abandonedBytes = 1 << 20
)

// turn is one caller's time with the connection.
type turn struct {
	c   *Client
	ctx context.Context

	stop        func() bool   // stops the watch over ctx; nil: ctx is never done
	interrupted chan struct{} // closed when ctx was done and the connection has been interrupted
}

// begin waits for the turn and makes sure that the connection is there; by looking at it, unless an
// exchange will. From then on, ctx being done interrupts what is blocked. The error is that of a call that
// has not been sent.
func (c *Client) begin(ctx context.Context, task serial.TaskCode, look bool) (turn, error) {
	if ctx.Err() != nil {
		return turn{}, notRun(task, context.Cause(ctx))
	}
	select {
	case c.turn <- struct{}{}:
	default:
		select {
		case c.turn <- struct{}{}:
		case <-c.closed:
			return turn{}, notRun(task, c.whyBroken())
		case <-ctx.Done():
			return turn{}, notRun(task, context.Cause(ctx))
		}
	}
	return c.useTurn(ctx, task, look)
}

// useTurn is begin for a caller that has the turn. It gives it back if it fails.
func (c *Client) useTurn(ctx context.Context, task serial.TaskCode, look bool) (turn, error) {
	err := context.Cause(ctx)
	if err == nil {
		err = c.whyBroken()
	}
	if err == nil && look {
		err = c.checkServer()
	}
	if err != nil {
		<-c.turn
		return turn{}, notRun(task, err)
	}
	t := turn{c: c, ctx: ctx}
	if ctx.Done() != nil {
		t.interrupted = make(chan struct{})
		t.stop = context.AfterFunc(ctx, t.interrupt)
	}
	return t, nil
}

// interrupt ends what is blocked, writes first: when a reader sees that it was interrupted, nothing
// more is sent.
func (t turn) interrupt() {
	t.c.conn.InterruptWrite()
	t.c.conn.InterruptRead()
	close(t.interrupted)
}

// end gives the turn to the next caller. Responses that nobody has read are read first, in the
// background; a request that was not sent whole costs the connection.
func (t turn) end() {
	c := t.c
	if t.stop != nil && !t.stop() {
		<-t.interrupted
		c.endRead() // a reader beside a stalled write may not have noticed yet
		c.conn.ResumeRead()
		c.conn.ResumeWrite()
	}
	if c.Err() == nil {
		c.settle()
	}
	c.responses.window.forget(c.requests.number)
	if c.Err() == nil && c.responses.window.outstanding() && c.goBackground() {
		go c.discardResponses()
		return
	}
	c.release()
}

// release gives the turn away. An idle connection holds no buffer.
func (c *Client) release() {
	if c.Err() == nil {
		c.requests.output.Release()
		c.responses.input.Release()
	}
	if c.keepAlive != nil {
		c.lastUse.Store(int64(time.Since(c.start)))
	}
	<-c.turn
}

// settle makes the window say what was really sent: calls of which no byte was are forgotten. A
// connection that cannot be used further, because one was sent in part or the output has failed, is
// closed.
func (c *Client) settle() {
	switch err := c.requests.failure(); {
	case err != nil:
		c.breakDown(err)
	case c.requests.output.Err() != nil && !c.conn.Resumable():
		c.breakDown(errInterruptedWrite)
	case !c.responses.window.sentUpTo(c.requests.output.Sent()):
		c.breakDown(errUnfinished)
	default:
		c.requests.output.Reset()
	}
}

// discardResponses reads the responses of abandoned calls and throws them away, with the turn, so
// that nobody uses the connection meanwhile.
func (c *Client) discardResponses() {
	defer c.background.Done()
	defer c.release()
	within := abandonedTime
	if !c.giveUp.IsZero() {
		within = time.Until(c.giveUp)
	}
	c.giveUp = time.Time{}
	tooLong := time.AfterFunc(within, c.conn.InterruptRead)
	left := int64(abandonedBytes)
	for left >= 0 && c.responses.window.outstanding() && c.Err() == nil {
		n, err := c.responses.discard(left)
		if err == transport.ErrInterrupted {
			break
		}
		if err != nil {
			c.breakDown(err)
		}
		left -= n
	}
	if !tooLong.Stop() || c.responses.window.outstanding() {
		c.breakDown(errAbandoned)
	}
}

// whyBroken returns nil, or why the connection cannot be used any more.
func (c *Client) whyBroken() error {
	switch err := c.Err(); err {
	case nil, ErrClosed, ErrGoodbye, ErrServerGone:
		return err
	default:
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
}

// checkServer finds out whether the server has closed the idle connection, wherever that is known
// already, so that nothing is sent into the void.
func (c *Client) checkServer() error {
	waiting, ok := c.probe.InputWaiting()
	if !ok {
		waiting, _ = transport.PeerGone(c.conn.NetConn())
	}
	if !waiting && c.responses.input.Buffered() == 0 {
		return nil
	}
	return c.unasked()
}

// unasked closes the connection, on which the server has said something that nobody has asked for. There
// must be nothing to read then but a Goodbye or the end.
func (c *Client) unasked() error {
	err := c.responses.unsolicited()
	c.breakDown(err)
	return err
}
