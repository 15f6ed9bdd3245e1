package serialclient

import (
	"context"
	"time"
)

// acquire waits for a connection. For the first attempt of a call it counts the call, unless it returns an
// error; a later one's error ends the call. If no address can be reached it returns why.
func (p *Pool) acquire(ctx context.Context, avoid *poolAddress, kind attemptKind) (*poolConn, []Attempt, error) {
	err := context.Cause(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == poolClosed || kind == first && p.state == poolDraining {
		err = ErrPoolClosed
	}
	begun := kind != first || err == nil
	if kind == first && begun {
		p.active++
		p.stats.calls++
	}
	var c *poolConn
	if err == nil {
		c, err = p.connectionLocked(ctx, avoid)
	}
	if err == nil {
		p.madeLocked(kind)
		return c, nil, nil
	}
	p.notMadeLocked(kind)
	if begun {
		p.leaveLocked()
	}
	if err == ErrUnreachable || p.hopelessLocked(time.Now()) {
		return nil, p.unreachedLocked(), err
	}
	return nil, nil, err
}

// connectionLocked takes an idle connection, or waits for one without the lock.
func (p *Pool) connectionLocked(ctx context.Context, avoid *poolAddress) (*poolConn, error) {
	now := time.Now()
	if c := p.takeLocked(now, avoid); c != nil {
		return c, nil
	}
	w := &waiter{ready: make(chan struct{}), until: now.Add(p.opts.patience), avoid: avoid}
	p.waiting.push(w)
	p.dispatchLocked(now)
	if w.queued && p.waiting.n-len(p.dials) > p.opts.maxWaiting {
		p.waiting.remove(w)
		return nil, ErrPoolFull
	}
	p.mu.Unlock()
	select {
	case <-w.ready:
	case <-ctx.Done():
	}
	p.mu.Lock()
	if err := context.Cause(ctx); err != nil {
		if w.queued {
			p.waiting.remove(w)
		} else if w.conn != nil { // given to it at the same time
			w.conn.address.busy--
			now := time.Now()
			p.idleLocked(w.conn, now, now)
		}
		return nil, err
	}
	return w.conn, w.err
}

// unreachedLocked returns why each address could not be reached.
func (p *Pool) unreachedLocked() (attempts []Attempt) {
	for _, a := range p.addresses {
		if a.lastError != nil {
			attempts = append(attempts, Attempt{a.name, NotRun, a.lastError})
		}
	}
	return attempts
}

// ending says what becomes of a call when its connection is given back.
type ending uint8

const (
	callAgain    ending = iota // there is another attempt
	callEnded                  // it ends, without an answer or nobody knows
	callAnswered               // it ends with an answer
)

// release gives a connection back. If the response of an abandoned call is still being read, that is
// waited for in the background.
func (p *Pool) release(c *poolConn, end ending) {
	settled := c.client.turnFree()
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	switch end {
	case callAnswered:
		p.retries.refill(now)
		p.retries.add(int64(p.opts.retryShare * token))
		p.leaveLocked()
	case callEnded:
		p.leaveLocked()
	}
	if p.state != poolClosed && !settled && c.client.Err() == nil {
		p.background.Add(1)
		go p.releaseLater(c)
		return
	}
	p.releaseLocked(c, now)
}

// releaseLater gives a connection back once the response of an abandoned call has been read.
func (p *Pool) releaseLater(c *poolConn) {
	defer p.background.Done()
	c.client.awaitTurn()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.releaseLocked(c, time.Now())
}

// releaseLocked makes a connection that was in use idle, or gives it up.
func (p *Pool) releaseLocked(c *poolConn, now time.Time) {
	c.address.busy--
	if p.state == poolClosed { // which has closed it
		return
	}
	err := c.client.Err()
	if err == nil {
		p.idleLocked(c, now, now) // where it is closed if it is too old
		return
	}
	p.evictLocked(c, whyEvicted(err))
	if endedByServer(err) {
		c.address.ended(now, &p.opts)
		p.lookLocked(c.address)
	}
}

// idleLocked makes a connection idle, as it has been since a time, or gives it to a caller that waits.
func (p *Pool) idleLocked(c *poolConn, since, now time.Time) {
	if p.state == poolClosed {
		return
	}
	c.idleAt = since
	c.address.put(c)
	p.idle++
	defer p.wakeLocked() // unless a caller that waits has it by then
	if p.waiting.n > 0 || p.idle > p.opts.maxIdle {
		p.dispatchLocked(now)
		return
	}
	at, _ := c.expires()
	p.armLocked(at)
}

// leaveLocked notes that a call has ended.
func (p *Pool) leaveLocked() {
	p.active--
	p.drainedLocked()
}

// drainedLocked tells Shutdown when no call is under way.
func (p *Pool) drainedLocked() {
	if p.state == poolOpen || p.active > 0 {
		return
	}
	select {
	case <-p.drained:
	default:
		close(p.drained)
	}
}
