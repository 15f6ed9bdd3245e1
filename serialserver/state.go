package serialserver

import (
	"context"
	"time"

	"github.com/serialkit/serialkit/internal/transport"
)

// state is where a connection is. These are all there are (docs/architecture.md, "States"):
//
//	           task code            answer complete
//	waiting ─────────────► running ─────────────────► waiting
//	   │                      │
//	   └──────► closing ◄─────┘
//
// Writing the answer belongs to running. Discarding what the task left unread belongs to waiting:
// both end at once when the client is disconnected.
type state uint8

const (
	waiting state = iota
	running
	closing
)

// cut is the end of a Disconnect's time. Client.mu guards it.
type cut struct {
	timer *time.Timer // set while a task, or the writing of an answer, runs out of time
	at    time.Time   // when it fires
	cause error       // why the connection was closed before its end; nil: it was not
}

// begin makes t the running task, unless the client is leaving. The connection's context may be
// done a moment before contextDone says so.
func (c *Client) begin(t *task) bool {
	done := c.ctx.Err() != nil
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leaving || done {
		return false
	}
	c.state, c.task = running, t
	c.armLookLocked(t, t.start)
	return true
}

// finish ends the running task. Its answer is complete, or never will be: finish returns why, if the
// connection was closed meanwhile. The end of the answer is still buffered then.
func (c *Client) finish() (shut error) {
	c.mu.Lock()
	t, shut := c.task, c.cut.cause
	c.state, c.task, c.unsent = waiting, nil, true
	if c.leaving {
		c.interruptRead() // what the task left unread is not waited for
	}
	c.mu.Unlock()
	t.ctx.stop(context.Canceled)
	return shut
}

// interruptRead ends reading at the end of a task, for which more is to be done, also where the connection panics.
func (c *Client) interruptRead() {
	c.guarded(func() error { c.conn.InterruptRead(); return nil })
}

// sent notes that all answers have been written.
func (c *Client) sent() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unsent = false
}

// close is the transition to closing, where no Disconnect has anything left to cut off. It returns
// why the connection was closed already, nil if it was not.
func (c *Client) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state, c.leaving = closing, true
	if c.cut.timer != nil && c.cut.timer.Stop() {
		c.timers.Done()
	}
	return c.cut.cause
}

// Disconnect ends the connection gracefully, without blocking. If it is idle it gets Goodbye and
// is closed. If a task is running, it may finish and its answer may be written within d, and then
// the same happens; after d its context is cancelled, with the cause ErrDisconnectTimeout, and the
// connection is closed without an answer. With d <= 0 that is at once. An answer that was complete
// already, and is only being written, has at least 500 ms. Called again, the earlier end wins.
//
// After Goodbye the client is listened to until it closes: 500 ms without a byte, 5 s in all, which
// d does not count.
func (c *Client) Disconnect(d time.Duration) {
	defer c.endAfterPanic()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaving = true
	switch c.state {
	case waiting:
		c.wakeLocked()
		if c.unsent {
			c.cutLocked(max(d, goodbyeTimeout))
		} else { // at once, unless the connection ignores the interruption
			c.cutLocked(max(d, transport.LingerTime))
		}
	case running:
		c.cutLocked(max(d, 0))
	}
}

// leave is Disconnect without an end of its time, for a stop.
func (c *Client) leave() {
	defer c.endAfterPanic()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = c.state == running || c.unsent
	c.leaving = true
	if c.state == waiting {
		c.wakeLocked()
	}
}

// wakeLocked ends the waiting for a task.
func (c *Client) wakeLocked() {
	if !c.shaking {
		c.conn.InterruptRead()
	}
}

// contextDone is called when HandleConnection's context is done. The running task's context, which
// is derived from it, is cancelled already.
func (c *Client) contextDone() {
	defer c.timers.Done()
	defer c.endAfterPanic()
	c.Disconnect(cancelGrace)
}

// cutLocked closes the connection after d, unless it is closing by itself then.
func (c *Client) cutLocked(d time.Duration) {
	at := time.Now().Add(d)
	switch {
	case c.cut.timer == nil:
		c.timers.Add(1)
		c.cut.timer = time.AfterFunc(d, c.cutOff)
	case at.Before(c.cut.at) && c.cut.timer.Stop():
		c.cut.timer.Reset(d)
	default:
		return
	}
	c.cut.at = at
}

// cutOff closes the connection if its task still runs, or an answer is still being written.
func (c *Client) cutOff() {
	defer c.timers.Done()
	defer c.endAfterPanic()
	t, late := c.shutLate()
	if t != nil {
		t.ctx.stop(ErrDisconnectTimeout)
	}
	if late {
		c.abort()
	}
}

// shutLate is shut at the end of a Disconnect's time, where there is something to cut off. It returns the running
// task, and whether there is.
func (c *Client) shutLate() (*task, bool) {
	c.mu.Lock()
	defer c.mu.Unlock() // also where the connection panics
	late := c.state != closing
	if late {
		c.shutLocked(ErrDisconnectTimeout)
	}
	return c.task, late
}

// Close closes the connection at once, with the running task's context cancelled for the cause
// ErrClosed. The client is told nothing. It returns the connection's error.
func (c *Client) Close() error {
	c.shut()
	return c.abort()
}

// closeAside is Close without waiting for the connection's, which may last.
func (c *Client) closeAside() {
	defer c.endAfterPanic()
	c.shut()
	go c.abortAside()
}

// shut makes sure that nothing goes on on a connection that is about to be closed.
func (c *Client) shut() {
	if t := c.shutFor(ErrClosed); t != nil {
		t.ctx.stop(ErrClosed)
	}
}

// abandon closes the connection at once, without waiting for that, where Disconnect was not enough: an answer or a
// Goodbye is not taken.
func (c *Client) abandon() {
	defer c.endAfterPanic()
	c.shutFor(ErrDisconnectTimeout)
	go c.abortAside()
}

// shutFor notes why the connection is about to be closed. It returns the running task.
func (c *Client) shutFor(cause error) *task {
	c.mu.Lock()
	defer c.mu.Unlock() // also where the connection panics
	c.shutLocked(cause)
	return c.task
}

// abortAside is abort in a goroutine of its own.
func (c *Client) abortAside() {
	defer c.endAfterPanic()
	c.abort()
}

// abort closes the connection at once. A layer that the handshake has put on it may have more to say, and
// would wait for that.
func (c *Client) abort() error {
	if c.accepted != nil {
		c.accepted.Close()
	}
	return c.conn.Abort()
}

// shutLocked notes why the connection is about to be closed. Only the first cause counts; one that
// comes when the connection is closing by itself is not asked for any more. From now on nothing is
// written: the task, whose context is cancelled next, is not to answer before the connection is
// closed.
func (c *Client) shutLocked(cause error) {
	c.leaving = true
	c.conn.InterruptWrite()
	if c.cut.cause == nil {
		c.cut.cause = cause
	}
}

// Cancel cancels the running task's context, with the cause ErrTaskCancelled. When the connection
// is idle it does nothing.
func (c *Client) Cancel() {
	if t := c.running(); t != nil {
		t.ctx.stop(ErrTaskCancelled)
	}
}
