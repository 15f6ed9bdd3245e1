package serialserver

import (
	"time"

	"github.com/serialkit/serialkit/internal/transport"
)

// lookEvery is how often it is looked whether the client of a running task is still there. With
// lookAge it makes a vanished client known within 0.75 s.
const (
	lookEvery = 300 * time.Millisecond
	lookAge   = lookEvery / 2
)

// look is the timer of these looks, which also sees to the end of a task's time. A task that is over before
// the timer fires costs a comparison: the timer stays armed for the next one. Client.mu guards it.
type look struct {
	timer *time.Timer
	at    time.Time // when it fires; zero: it is not armed
}

// armLookLocked arms the timer for t, now: for the next look, or for the end of its time.
func (c *Client) armLookLocked(t *task, now time.Time) {
	short := t.limits.TaskTime >= 0 && t.limits.TaskTime < lookEvery
	if !short && !c.look.at.IsZero() {
		return // it fires before a whole lookEvery has passed
	}
	at := now.Add(lookEvery)
	if deadline := t.deadline(); deadline.After(now) && deadline.Before(at) {
		at = deadline
	}
	switch {
	case c.look.at.IsZero():
		c.timers.Add(1)
	case !at.Before(c.look.at) || !c.look.timer.Stop(): // or it has fired, and arms itself
		return
	}
	c.look.at = at
	if c.look.timer == nil {
		c.look.timer = time.AfterFunc(at.Sub(now), c.lookForClient)
	} else {
		c.look.timer.Reset(at.Sub(now))
	}
}

// lookForClient cancels the running task's context if its time is over, or its client has vanished.
func (c *Client) lookForClient() {
	defer c.timers.Done()
	defer c.endAfterPanic()
	now := time.Now()
	c.mu.Lock()
	t := c.task
	c.look.at = time.Time{}
	if t != nil {
		c.armLookLocked(t, now)
	}
	c.mu.Unlock()
	if t == nil {
		return
	}
	if deadline := t.deadline(); !deadline.IsZero() && !now.Before(deadline) {
		t.ctx.stop(ErrTaskTimeout)
	}
	if now.Sub(t.start) < lookAge {
		return
	}
	gone, ok := transport.PeerGone(c.conn.NetConn())
	switch {
	case gone:
		t.ctx.stop(ErrClientVanished)
	case !ok:
		c.input.ReadAhead(func(error) { t.ctx.stop(ErrClientVanished) })
	}
}

// stopLooking stops the timer. No task runs any more.
func (c *Client) stopLooking() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.look.timer != nil && c.look.timer.Stop() {
		c.timers.Done()
	}
}
