package serialserver

import (
	stderrors "errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pkg/errors"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/internal/transport"
	"github.com/serialkit/serialkit/serial"
)

// goodbyeTimeout bounds the write of a Goodbye on a connection that cannot be half-closed.
const goodbyeTimeout = 500 * time.Millisecond

// lingers is switched off by the test that shows what is lost then.
var lingers atomic.Bool

func init() { lingers.Store(true) }

var errGoexit = stderrors.New("serialserver: task ended its goroutine")

// goexit stands for the end of a task that ends its goroutine.
var goexit = &ending{reason: ClosedDropped, err: errGoexit}

// ending is how a connection ends.
type ending struct {
	reason  CloseReason
	err     error       // what HandleConnection returns
	goodbye bool        // no task is open, so that Goodbye tells the truth
	panic   *PanicError // what the task panicked with, nil if it did not
}

func (c *Client) graceful() *ending {
	if c.seat.room == refused {
		return &ending{reason: ClosedRefused, err: ErrTooManyClients, goodbye: true}
	}
	return &ending{reason: ClosedGraceful, err: ErrGracefulDisconnect, goodbye: true}
}

// expected reports whether a connection's end is one of the ordinary ones.
func (e *ending) expected() bool {
	return e.panic == nil && (e.reason <= ClosedGraceful || e.reason == ClosedRefused)
}

// end closes the connection and releases everything of it. It returns what HandleConnection does.
func (c *Client) end(e *ending) error {
	if e.goodbye { // not closing yet: this belongs to the time of a Disconnect
		if err := c.output.Flush(); err != nil {
			*e = ending{reason: ClosedWrite, err: err}
		}
	}
	switch cause := c.close(); {
	case cause == nil:
		c.guarded(func() error { c.closeConnection(e); return nil })
	case stderrors.Is(cause, ErrDisconnectTimeout):
		e.reason, e.err = ClosedCut, c.because(cause, e.err)
	default:
		e.reason, e.err = ClosedByServer, c.because(cause, e.err)
	}
	if e.reason == ClosedWrite {
		c.guarded(c.abort) // there is no hope to say more
	}
	c.guarded(c.conn.Close)
	if c.accepted != nil {
		c.guarded(c.accepted.Close) // which a layer may have forgotten
	}
	c.stopLooking()
	c.output.Stop()
	c.timers.Wait() // one of them may begin to read ahead
	c.input.Join()
	c.layersPanic(e)
	c.logEnd(e)
	return c.atTheEdge(e)
}

// because says why the connection was closed on this side, and what that ended.
func (c *Client) because(cause, ended error) error {
	if ended == nil || ended == ErrGracefulDisconnect {
		return cause
	}
	return fmt.Errorf("%w: %w", cause, ended)
}

// closeConnection closes the connection so that nothing written before is lost.
func (c *Client) closeConnection(e *ending) {
	if e.reason == ClosedByPeer || e.reason == ClosedWrite {
		return
	}
	c.conn.ResumeRead()
	if t := c.output.Timeout; t <= 0 || t > transport.LingerTime {
		c.output.Timeout = transport.LingerTime
	}
	if !c.conn.CanHalfClose() {
		c.output.Timeout = min(c.output.Timeout, goodbyeTimeout)
	}
	c.conn.BeginMessage(transport.Rate{}, c.output.Timeout) // the last answer's time may be over
	if e.goodbye {
		c.output.WriteByte(byte(serial.ResponseGoodbye))
	}
	err := c.output.Flush()
	c.output.Release() // the rest may last
	if err == nil && lingers.Load() {
		c.conn.CloseLingering()
	}
}

// logEnd logs what ended the connection: what was to be expected for the curious, the rest as a
// warning, a panic as an error with its stack.
func (c *Client) logEnd(e *ending) {
	lg := c.taskLogger()
	fields := []zap.Field{zap.Stringer("reason", e.reason), zap.Uint64("tasks", c.sequence)}
	if c.unknown > 0 {
		fields = append(fields, zap.Uint64("unknown_tasks", c.unknown))
	}
	switch {
	case e.expected():
		lg.Debug("connection closed", fields...)
	case e.panic != nil && e.panic == c.panicked.Load():
		lg.Error("connection panicked", append(fields, zap.Error(e.err), zap.ByteString("stack", e.panic.Stack))...)
	case e.panic != nil:
		lg.Error("task panicked", append(fields, zap.Error(e.err), zap.ByteString("stack", e.panic.Stack))...)
	default:
		lg.Warn("connection closed", append(fields, zap.Error(e.err))...)
	}
}

// atTheEdge adds a stack and the connection to an error that is not to be expected.
func (c *Client) atTheEdge(e *ending) error {
	if e.expected() {
		return e.err
	}
	return errors.Wrap(e.err, "serialserver: "+c.String())
}
