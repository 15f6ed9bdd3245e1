package serialclient

import (
	"math/rand/v2"
	"slices"
	"time"
)

// poolAddress is what a Pool knows of one of its addresses. The Pool's lock guards it.
type poolAddress struct {
	name  string // never changes, as the next one
	index int

	idle    []*poolConn // that which was used last is the last
	open    int         // connections, those that are being closed among them
	busy    int         // of these, in use
	dialing int         // attempts to connect

	failures  int       // attempts to connect that have failed since one succeeded
	lastError error     // of these; nil: none
	retryAt   time.Time // no attempt before
	shyUntil  time.Time // others are preferred up to then, because the server has ended a connection
	dialRate  bucket
}

// health is how much an address is preferred, the least most.
type health int

const (
	healthy health = iota
	shy            // its server has just ended a connection, or could not be reached and may be tried again
	down           // it could not be reached, and is not to be tried now
	avoided        // it has refused this very call
)

// health returns how the address is.
func (a *poolAddress) health(now time.Time) health {
	switch {
	case now.Before(a.retryAt):
		return down
	case a.failures > 0 || now.Before(a.shyUntil):
		return shy
	}
	return healthy
}

// load is how much of the pool's work the address has.
func (a *poolAddress) load() int { return a.busy + a.dialing }

// failed notes that an attempt to connect has failed. The next one is made after a random part of a
// time that doubles with each failure ("full jitter"), so that clients of a server that comes back do not
// come all at once.
func (a *poolAddress) failed(now time.Time, err error, o *poolOptions) {
	most := o.backoff
	for range a.failures {
		if most >= o.maxBackoff/2 {
			most = o.maxBackoff
			break
		}
		most *= 2
	}
	a.failures++
	a.lastError = err
	a.retryAt = now.Add(1 + rand.N(most))
}

// connected notes that an attempt to connect has succeeded.
func (a *poolAddress) connected() {
	a.failures, a.lastError, a.retryAt, a.shyUntil = 0, nil, time.Time{}, time.Time{}
}

// ended notes that the server has ended a connection: others are preferred for a moment.
func (a *poolAddress) ended(now time.Time, o *poolOptions) {
	a.shyUntil = now.Add(1 + rand.N(o.backoff))
}

// put makes a connection idle.
func (a *poolAddress) put(c *poolConn) {
	i := len(a.idle)
	for i > 0 && a.idle[i-1].idleAt.After(c.idleAt) {
		i--
	}
	a.idle = slices.Insert(a.idle, i, c)
}

// pop takes the idle connection that was used last.
func (a *poolAddress) pop() *poolConn {
	last := len(a.idle) - 1
	c := a.idle[last]
	a.idle[last] = nil
	a.idle = a.idle[:last]
	return c
}

// remove takes the i-th idle connection.
func (a *poolAddress) remove(i int) *poolConn {
	c := a.idle[i]
	copy(a.idle[i:], a.idle[i+1:])
	a.pop()
	return c
}
