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

// look is the timer of these looks. A task that is over before the timer fires costs a comparison:
// the timer stays armed for the next one. Client.mu guards it.
type look struct {
	timer *time.Timer
	armed bool
}

func (c *Client) armLookLocked() {
	if c.look.armed {
		return
	}
	c.look.armed = true
	c.timers.Add(1)
	if c.look.timer == nil {
		c.look.timer = time.AfterFunc(lookEvery, c.lookForClient)
	} else {
		c.look.timer.Reset(lookEvery)
	}
}

// lookForClient cancels the running task's context if its client has vanished.
func (c *Client) lookForClient() {
	defer c.timers.Done()
	c.mu.Lock()
	t := c.task
	c.look.armed = false
	if t != nil {
		c.armLookLocked()
	}
	c.mu.Unlock()
	if t == nil || time.Since(t.start) < lookAge {
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
