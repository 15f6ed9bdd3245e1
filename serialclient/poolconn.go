package serialclient

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/serialkit/serialkit/serial"
)

// poolConn is a connection of a Pool. One caller at a time has it.
type poolConn struct {
	client  *Client       // never changes, as the next three
	address *poolAddress  //
	idleFor time.Duration // for how long it may be idle; negative: for ever
	dieAt   time.Time     // when it is too old; zero: never

	used   bool      // a call was answered on it; belongs to who has it
	idleAt time.Time // since when it is idle; guarded by the Pool's lock
}

// newPoolConn returns a connection to a server that allows so much idleness, in milliseconds, 0 if it
// does not say.
func newPoolConn(client *Client, a *poolAddress, waitMillis int64, now time.Time, o *poolOptions) *poolConn {
	c := &poolConn{client: client, address: a, idleFor: o.idleTimeout}
	if waitMillis > 0 {
		wait := time.Duration(min(waitMillis, int64(maxIdleTime/time.Millisecond))) * time.Millisecond
		if wait = wait / waitMarginOf * waitMargin; c.idleFor < 0 || wait < c.idleFor {
			c.idleFor = wait
		}
	}
	if life := o.lifetime; life > 0 {
		c.dieAt = now.Add(life - rand.N(max(life/lifetimeJitter, 1)))
	}
	return c
}

// maxIdleTime bounds what a server can say, so that sums with it do not overflow.
const maxIdleTime = 365 * 24 * time.Hour

// expires returns when the idle connection is to be closed, and why; zero: never.
func (c *poolConn) expires() (time.Time, eviction) {
	if c.idleFor < 0 {
		return c.dieAt, evictedOld
	}
	at := c.idleAt.Add(c.idleFor)
	if !c.dieAt.IsZero() && c.dieAt.Before(at) {
		return c.dieAt, evictedOld
	}
	return at, evictedIdle
}

// expired reports whether the idle connection is to be closed now, and why.
func (c *poolConn) expired(now time.Time) (eviction, bool) {
	at, why := c.expires()
	return why, !at.IsZero() && !now.Before(at)
}

// turnFree reports whether nobody has the connection's turn: no abandoned response is being read.
func (c *Client) turnFree() bool {
	select {
	case c.turn <- struct{}{}:
		<-c.turn
		return true
	default:
		return false
	}
}

// awaitTurn waits until nobody has the turn, or the connection cannot be used any more. That takes as long as an
// abandoned response may.
func (c *Client) awaitTurn() {
	select {
	case c.turn <- struct{}{}:
		<-c.turn
	case <-c.closed:
	}
}

// look looks whether the server has ended the connection, wherever that is known. It waits for nothing.
func (c *Client) look() {
	if t, err := c.begin(context.Background(), serial.TaskKeepAlive, true); err == nil {
		t.end()
	}
}

// whyEvicted returns why a connection that cannot be used any more was given up.
func whyEvicted(err error) eviction {
	switch err {
	case ErrGoodbye:
		return evictedGoodbye
	case ErrServerGone:
		return evictedGone
	}
	return evictedBroken
}
