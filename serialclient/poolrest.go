package serialclient

import (
	"context"
	"time"
)

// rest waits before a retry while each address is in a pause, because its server has just ended a connection or could
// not be reached: until the first of these pauses is over, or there is an idle connection, for patience at most.
// Attempts that follow each other at once would all meet the same trouble.
func (p *Pool) rest(ctx context.Context) {
	p.mu.Lock()
	now := time.Now()
	d, woken := min(p.restLocked(now).Sub(now), p.opts.patience), p.wokenLocked()
	p.mu.Unlock()
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	for woken != nil {
		select {
		case <-woken:
			woken = p.stillResting()
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		case <-p.dialling.Done():
			return
		}
	}
}

// stillResting returns what is closed when there is an idle connection; nil if there is one.
func (p *Pool) stillResting() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle > 0 {
		return nil
	}
	return p.wokenLocked()
}

// wokenLocked returns what is closed when there is an idle connection again.
func (p *Pool) wokenLocked() <-chan struct{} {
	if p.resting == nil {
		p.resting = make(chan struct{})
	}
	return p.resting
}

// wakeLocked wakes the retries that rest if there is an idle connection.
func (p *Pool) wakeLocked() {
	if p.idle > 0 && p.resting != nil {
		close(p.resting)
		p.resting = nil
	}
}

// restLocked returns when the first pause is over; now where an address is in none, or there is an idle connection.
func (p *Pool) restLocked(now time.Time) (end time.Time) {
	if p.idle > 0 {
		return now
	}
	for _, a := range p.addresses {
		until := a.pausedUntil()
		if !until.After(now) {
			return now
		}
		if end.IsZero() || until.Before(end) {
			end = until
		}
	}
	return end
}

// pausedUntil returns the end of the address's pause; the past if it is in none.
func (a *poolAddress) pausedUntil() time.Time {
	if a.shyUntil.After(a.retryAt) {
		return a.shyUntil
	}
	return a.retryAt
}
