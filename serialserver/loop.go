package serialserver

import (
	"context"
	"io"
	"time"

	"github.com/serialkit/serialkit/internal/transport"
	"github.com/serialkit/serialkit/serial"
)

// serve is HandleConnection, for a client that has been added to the server. It says in e how that ended.
func (c *Client) serve(e *ending) (err error) {
	metrics := c.Metrics() // told of both, whatever is set meanwhile
	metrics.ConnectionOpened(c)

	c.timers.Add(1)
	stop := context.AfterFunc(c.ctx, c.contextDone)
	*e = *goexit
	defer func() {
		if stop() {
			c.timers.Done()
		}
		err = c.end(e)
		metrics.ConnectionClosed(c, e.reason)
	}()
	if end := c.shakeHands(); end != nil {
		*e = *end
		return nil // end decides
	}
	c.turnAway()
	*e = *c.serveTasks()
	return nil
}

// turnAway makes sure that a client that there is no room for, or that comes after a stop, is told Goodbye before
// anything else.
func (c *Client) turnAway() {
	switch {
	case c.seat.room == refused:
		c.refuse()
	case c.server.isDown():
		c.Disconnect(0)
	}
}

// serveTasks serves one task after the other until something ends the connection.
func (c *Client) serveTasks() *ending {
	for {
		code, end := c.next()
		if end != nil {
			return end
		}
		if code == serial.TaskDisconnect {
			return c.graceful()
		}
		t := c.newTask(code)
		if !c.begin(t) {
			return c.graceful()
		}
		if end := c.serveTask(t); end != nil {
			return end
		}
	}
}

// next waits for the next task code.
func (c *Client) next() (serial.TaskCode, *ending) {
	if c.input.Buffered() == 0 {
		now, err := c.output.FlushAt()
		if err != nil {
			return 0, &ending{reason: ClosedWrite, err: err}
		}
		c.sent()
		c.output.Release()
		if end := c.wait(now); end != nil {
			return 0, end
		}
	}
	b, err := c.input.Peek(1)
	if err != nil {
		return 0, &ending{reason: ClosedRead, err: err}
	}
	code := serial.TaskCode(b[0])
	c.input.Discard(1)
	return code, nil
}

// wait waits until there is input, from now on.
func (c *Client) wait(now time.Time) *ending {
	if d := c.server.timeout.Wait; d > 0 {
		c.waitUntil = now.Add(d)
	}
	switch err := c.input.Wait(now); err {
	case nil:
		return nil
	case io.EOF:
		return &ending{reason: ClosedByPeer}
	case transport.ErrTimeout:
		return &ending{reason: ClosedIdle, err: ErrTimeoutWaitingForTask, goodbye: true}
	case transport.ErrInterrupted:
		return c.graceful()
	default:
		return &ending{reason: ClosedRead, err: err}
	}
}

// serveTask runs t, answers it and discards what it left unread.
func (c *Client) serveTask(t *task) *ending {
	if a := c.runTask(t); a.end != nil {
		return a.end
	}
	return c.drain(t)
}

// runTask runs t and answers it. What it defers is done also where the task ends its goroutine
// (runtime.Goexit), which serve finds out by itself, and where the Metrics panic.
func (c *Client) runTask(t *task) (a answer) {
	metrics := c.Metrics() // told of both, whatever is set meanwhile
	_, untold := metrics.(noMetrics)
	untold = untold || t.reg.builtin
	a = answer{outcome: OutcomeDropped, err: errGoexit, end: goexit}
	defer func() {
		c.output.Reclaim()
		if a.end != nil {
			c.interruptRead() // the task may have left a goroutine in a read
		}
		t.message.revoke(c.output)
		if shut := c.finish(); shut != nil && a.outcome != OutcomePanicked {
			a.outcome, a.code, a.err = OutcomeFailed, 0, shut
		}
		if untold && t.done == nil {
			return
		}
		result := a.result(t)
		if !untold {
			defer metrics.TaskDone(c, result) // also where a hook ends its goroutine
		}
		c.callDone(t, result)
	}()
	if !untold {
		metrics.TaskStarted(c, t.reg.code)
	}
	return c.answer(t)
}

// drain discards what an answered task left of its message. Its client may have to see the answer
// before it goes on, so the output is lent meanwhile.
func (c *Client) drain(t *task) *ending {
	if t.message.blocks.Ended() {
		return nil
	}
	c.output.Lend()
	err := t.message.drain(t.limits.unreadInput())
	if werr := c.output.Reclaim(); werr != nil {
		return &ending{reason: ClosedWrite, err: t.err("answering", werr)}
	}
	switch err {
	case io.EOF:
		return nil
	case nil:
		return &ending{reason: ClosedUnread, err: t.err("answered", ErrUnreadInput), goodbye: true}
	case transport.ErrInterrupted:
		return c.graceful()
	default:
		return &ending{reason: ClosedRead, err: t.err("reading the message of", err), goodbye: true}
	}
}
