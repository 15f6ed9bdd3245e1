package serialclient

import (
	"context"
	"time"

	"github.com/serialkit/serialkit/serial"
)

// startKeepAlive starts the timer that WithKeepAlive asks for.
func (c *Client) startKeepAlive() {
	if d := c.opts.keepAlive; d > 0 {
		c.keepAlive = stoppedTimer(c.keepAliveWhenIdle)
		c.startTimer(c.keepAlive, d)
	}
}

// keepAliveWhenIdle sends a KeepAlive if the connection was idle for long enough, and sets the
// timer to when it may have been again.
func (c *Client) keepAliveWhenIdle() {
	defer c.background.Done()
	next := c.opts.keepAlive
	select {
	case c.turn <- struct{}{}:
		next = c.keepAliveInTurn()
	default: // busy; it will not have been idle for long enough before that
	}
	c.startTimer(c.keepAlive, next)
}

// keepAliveInTurn has the turn and gives it back. It returns how long the connection has to be idle
// from now on before the next KeepAlive.
func (c *Client) keepAliveInTurn() time.Duration {
	interval := c.opts.keepAlive
	idle := time.Since(c.start) - time.Duration(c.lastUse.Load())
	if idle < interval {
		<-c.turn
		return interval - idle
	}
	if t, err := c.useTurn(context.Background(), serial.TaskKeepAlive, !c.exchanges(nil)); err == nil {
		t.roundTrip(nil, serial.TaskKeepAlive, nil)
	}
	return interval
}

// stoppedTimer returns a timer that runs f once startTimer has started it.
func stoppedTimer(f func()) *time.Timer {
	t := time.AfterFunc(time.Hour, f)
	t.Stop()
	return t
}

// startTimer starts a timer of this Client's own, whose function calls background.Done in the end.
// It does nothing once the connection is closed: none may begin then.
func (c *Client) startTimer(t *time.Timer, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		c.background.Add(1)
		t.Reset(d)
	}
}

// stopTimers stops the timers of a closed Client.
func (c *Client) stopTimers() {
	for _, timer := range []*time.Timer{c.keepAlive, c.stall.timer} {
		if timer != nil && timer.Stop() {
			c.background.Done()
		}
	}
}
