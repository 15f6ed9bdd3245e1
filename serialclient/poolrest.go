package serialclient

import (
	"context"
	"time"
)

// rest waits before a retry while each address is in a pause, because its server has just ended a connection or could
// not be reached: until the first of these pauses is over, for patience at most. Attempts that follow each other at
// once would all meet the same trouble.
func (p *Pool) rest(ctx context.Context) {
	p.mu.Lock()
	now := time.Now()
	d := min(p.restLocked(now).Sub(now), p.opts.patience)
	p.mu.Unlock()
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-p.dialling.Done():
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
