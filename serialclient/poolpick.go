package serialclient

import "time"

// pick is how good an address is for a call, the least best.
type pick struct {
	health health
	load   int
}

func (a pick) betterThan(b pick) bool {
	return a.health < b.health || a.health == b.health && a.load < b.load
}

// rate returns how good an address is for a call that avoids another one.
func (a *poolAddress) rate(now time.Time, avoid *poolAddress) pick {
	if a == avoid {
		return pick{avoided, a.load()}
	}
	return pick{a.health(now), a.load()}
}

// takeLocked takes the idle connection that is best for a call, nil if it is to wait for one. Where a
// better address has none, one is made for the calls to come.
func (p *Pool) takeLocked(now time.Time, avoid *poolAddress) *poolConn {
	for p.idle > 0 {
		a, better := p.idleAddressLocked(now, avoid)
		if a == nil {
			return nil
		}
		c := a.pop()
		p.idle--
		if why, expired := c.expired(now); expired {
			p.evictLocked(c, why)
			continue
		}
		a.busy++
		p.turn = (a.index + 1) % len(p.addresses)
		if better != nil {
			p.turn = (better.index + 1) % len(p.addresses)
			p.startDialLocked(better, now)
		}
		return c
	}
	return nil
}

// idleAddressLocked returns the address whose idle connection is best for a call, nil if there is none or it
// should wait for another one. better is one to which a connection should be made.
func (p *Pool) idleAddressLocked(now time.Time, avoid *poolAddress) (best, better *poolAddress) {
	var has, may pick
	spread := p.waiting.n == 0 && len(p.conns)+len(p.dials) < p.opts.maxIdle
	elsewhere := false
	for i := range p.addresses {
		a := p.addresses[(p.turn+i)%len(p.addresses)]
		rate := a.rate(now, avoid)
		elsewhere = elsewhere || avoid != nil && a != avoid && rate.health < down && p.mayProvideLocked(a, now)
		switch {
		case len(a.idle) > 0:
			if best == nil || rate.betterThan(has) {
				best, has = a, rate
			}
		case spread && a != avoid && a.dialing == 0 && !now.Before(a.shyUntil) && p.mayDialLocked(a, now):
			rate.health = healthy // also if it has failed: nobody waits for it
			if better == nil || rate.betterThan(may) {
				better, may = a, rate
			}
		}
	}
	switch {
	case best == nil || has.health == avoided && elsewhere:
		return nil, nil
	case better != nil && !may.betterThan(has) && !(may == has && p.before(better, best)):
		better = nil
	}
	return best, better
}

// mayProvideLocked reports whether an address has a connection for a call, or is about to.
func (p *Pool) mayProvideLocked(a *poolAddress, now time.Time) bool {
	if p.hasSlowDialLocked(a, now) {
		return false
	}
	return len(a.idle) > 0 || a.dialing > 0 ||
		p.mayDialOnceRefilledLocked(a, now) && (a.failures == 0 || p.roomToTryLocked())
}

// before reports whether it is a's turn before b's.
func (p *Pool) before(a, b *poolAddress) bool {
	n := len(p.addresses)
	return (a.index-p.turn+n)%n < (b.index-p.turn+n)%n
}

// mayDialLocked reports whether a connection may be made to the address now.
func (p *Pool) mayDialLocked(a *poolAddress, now time.Time) bool {
	return p.mayDialOnceRefilledLocked(a, now) && !a.dialRate.next(now).After(now)
}

// mayDialOnceRefilledLocked is mayDialLocked but for the rate.
func (p *Pool) mayDialOnceRefilledLocked(a *poolAddress, now time.Time) bool {
	atOnce := p.opts.dialsAtOnce
	if a.failures > 0 {
		atOnce = 1
	}
	return p.state != poolClosed && a.open+a.dialing < p.opts.maxPerAddress && a.dialing < atOnce &&
		len(p.conns)+len(p.dials) < p.opts.maxOpen && !now.Before(a.retryAt)
}
