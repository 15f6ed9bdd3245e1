package serialclient

import "time"

// dispatchLocked does what can be done for the callers that wait, and sees to it that tick goes on when
// time allows more. Whatever changes what they wait for calls it.
func (p *Pool) dispatchLocked(now time.Time) {
	for w := p.waiting.first; w != nil && p.idle > 0; {
		next := w.next
		if c := p.takeLocked(now, w.avoid); c != nil {
			p.waiting.serve(w, c, nil)
		}
		w = next
	}
	for p.idle > p.opts.maxIdle {
		p.evictLocked(p.takeOldestLocked(), evictedSurplus)
	}
	if p.waiting.n > 0 {
		p.dialLocked(now)
		if p.hopelessLocked(now) { // who came first gives up first
			for p.waiting.n > 0 && !now.Before(p.waiting.first.until) {
				p.waiting.serve(p.waiting.first, nil, ErrUnreachable)
			}
		}
	}
	p.armLocked(p.nextTickLocked(now))
}

// takeOldestLocked takes the connection that was idle for longest.
func (p *Pool) takeOldestLocked() *poolConn {
	var oldest *poolAddress
	for _, a := range p.addresses {
		if len(a.idle) > 0 && (oldest == nil || a.idle[0].idleAt.Before(oldest.idle[0].idleAt)) {
			oldest = a
		}
	}
	p.idle--
	return oldest.remove(0)
}

// dialLocked begins the attempts to connect that the callers need: one for each, to addresses that have not
// failed; another one, elsewhere, for each that takes long; and beside these one to each address that has failed
// and may be tried again.
func (p *Pool) dialLocked(now time.Time) {
	quick, slow := p.promisingLocked(now)
	for need := p.waiting.n - quick; need > 0; need-- {
		a := p.dialAddressLocked(now, false)
		if a == nil && need > slow {
			a = p.dialAddressLocked(now, true)
		}
		if a == nil {
			break
		}
		p.startDialLocked(a, now)
	}
	for _, a := range p.addresses {
		if a.failures > 0 && p.mayDialLocked(a, now) && p.roomToTryLocked() {
			p.startDialLocked(a, now)
		}
	}
}

// roomToTryLocked reports whether a connection to an address that has failed leaves room for one to
// another, if there is one that has not.
func (p *Pool) roomToTryLocked() bool {
	for _, a := range p.addresses {
		if a.failures == 0 {
			return len(p.conns)+len(p.dials) < p.opts.maxOpen-1
		}
	}
	return true
}

// promisingLocked returns how many attempts to connect to addresses that have not failed are under way, and
// how many that take long.
func (p *Pool) promisingLocked(now time.Time) (quick, slow int) {
	for d := range p.dials {
		switch {
		case !d.promising:
		case now.Before(d.slowAt):
			quick++
		default:
			slow++
		}
	}
	return quick, slow
}

// dialAddressLocked returns the best of the addresses that have not failed to which a connection may be
// made now; nil if there is none. Whether those count where an attempt takes long is slowToo.
func (p *Pool) dialAddressLocked(now time.Time, slowToo bool) (best *poolAddress) {
	var rate pick
	for i := range p.addresses {
		a := p.addresses[(p.turn+i)%len(p.addresses)]
		if a.failures > 0 || !p.mayDialLocked(a, now) || !slowToo && p.hasSlowDialLocked(a, now) {
			continue
		}
		r := a.rate(now, p.waiting.first.avoid)
		if best == nil || r.betterThan(rate) {
			best, rate = a, r
		}
	}
	if best != nil {
		p.turn = (best.index + 1) % len(p.addresses)
	}
	return best
}

// hasSlowDialLocked reports whether an attempt to connect to the address takes long.
func (p *Pool) hasSlowDialLocked(a *poolAddress, now time.Time) bool {
	for d := range p.dials {
		if d.address == a && !now.Before(d.slowAt) {
			return true
		}
	}
	return false
}

// hopelessLocked reports whether there is nothing to wait for but the end of a pause.
func (p *Pool) hopelessLocked(now time.Time) bool {
	if len(p.conns) > 0 || len(p.dials) > 0 {
		return false
	}
	for _, a := range p.addresses {
		if a.health(now) != down {
			return false
		}
	}
	return true
}

// nextTickLocked returns when time changes something: an idle connection expires, or, while callers wait, an
// address may be tried or an attempt begins to take long. Zero: never.
func (p *Pool) nextTickLocked(now time.Time) (at time.Time) {
	sooner := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	for _, a := range p.addresses {
		for _, c := range a.idle {
			expires, _ := c.expires()
			sooner(expires)
		}
		if p.waiting.n == 0 {
			continue
		}
		if now.Before(a.retryAt) {
			sooner(a.retryAt)
		} else if p.mayDialOnceRefilledLocked(a, now) {
			if next := a.dialRate.next(now); next.After(now) {
				sooner(next)
			}
		}
	}
	if p.waiting.n == 0 {
		return at
	}
	if p.hopelessLocked(now) {
		sooner(p.waiting.first.until)
	}
	for d := range p.dials {
		if now.Before(d.slowAt) {
			sooner(d.slowAt)
		}
	}
	return at
}

// armLocked makes tick run at the time at the latest; zero: it need not.
func (p *Pool) armLocked(at time.Time) {
	if at.IsZero() || !p.timerAt.IsZero() && !at.Before(p.timerAt) || p.state == poolClosed {
		return
	}
	p.timerAt = at
	if !p.timer.Reset(time.Until(at)) {
		p.background.Add(1)
	}
}

// tick closes idle connections that have expired, and looks what else the time has brought.
func (p *Pool) tick() {
	defer p.background.Done()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timerAt = time.Time{}
	if p.state == poolClosed {
		return
	}
	now := time.Now()
	for _, a := range p.addresses {
		for i := 0; i < len(a.idle); {
			why, expired := a.idle[i].expired(now)
			if !expired {
				i++
				continue
			}
			p.idle--
			p.evictLocked(a.remove(i), why)
		}
	}
	p.dispatchLocked(now)
}
