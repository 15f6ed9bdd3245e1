package serialclient

import (
	"errors"
	"time"
)

// eviction is why a Pool has given up a connection.
type eviction uint8

const (
	evictedIdle eviction = iota
	evictedOld
	evictedSurplus
	evictedGoodbye
	evictedGone
	evictedBroken
	evictions // how many there are
)

// evictLocked closes a connection that is neither idle nor in use any more. Until that is done it counts as
// open.
func (p *Pool) evictLocked(c *poolConn, why eviction) {
	p.stats.evicted[why]++
	p.background.Add(1)
	go p.discard(c)
}

// discard closes a connection for good.
func (p *Pool) discard(c *poolConn) {
	defer p.background.Done()
	c.client.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	c.address.open--
	if p.state != poolClosed && p.waiting.n > 0 {
		p.dispatchLocked(time.Now())
	}
}

// endedByServer reports whether a connection failed for a reason that may hold for the server's others.
func endedByServer(err error) bool {
	var request *requestError
	switch {
	case err == errUnfinished, err == errAbandoned, err == errInterruptedWrite, err == ErrClosed,
		err == ErrTooLarge, err == ErrPipelineFull, errors.As(err, &request):
		return false
	}
	return true
}

// lookLocked looks at the address's idle connections, without the lock, after its server has ended one:
// those that it has ended as well are not left to be found one by one.
func (p *Pool) lookLocked(a *poolAddress) {
	if len(a.idle) == 0 {
		return
	}
	idle := a.idle
	a.idle = nil
	a.busy += len(idle)
	p.idle -= len(idle)
	p.background.Add(1)
	go p.lookAt(idle)
}

// lookAt looks at connections, and gives them back as they were.
func (p *Pool) lookAt(conns []*poolConn) {
	defer p.background.Done()
	for _, c := range conns {
		c.client.look()
		p.mu.Lock()
		p.lookedLocked(c)
		p.mu.Unlock()
	}
}

// lookedLocked gives back a connection that was looked at. It has been idle all the time.
func (p *Pool) lookedLocked(c *poolConn) {
	c.address.busy--
	if p.state == poolClosed {
		return
	}
	if err := c.client.Err(); err != nil {
		p.evictLocked(c, whyEvicted(err))
		return
	}
	p.idleLocked(c, c.idleAt, time.Now())
}
