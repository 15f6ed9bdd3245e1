package transport

import "time"

// pace measures one direction against the minimum rate. Only the time in which this side was
// blocked on the peer counts, so a slow handler is never held against the peer. The blocked time is
// cut into windows, and in each the peer has to move its share.
type pace struct {
	window time.Duration // 0: no minimum
	share  int64         // bytes a window

	spent time.Duration // blocked time in this window
	bytes int64         // moved in this window
}

func newPace(r Rate) pace {
	if r.BytesPerSecond <= 0 || r.Window <= 0 {
		return pace{}
	}
	share := int64(float64(r.BytesPerSecond) * r.Window.Seconds())
	return pace{window: r.Window, share: max(share, 1)}
}

// deadline returns when the window ends if this side is blocked from now on.
func (p *pace) deadline(now time.Time) time.Time {
	if p.window == 0 {
		return time.Time{}
	}
	return now.Add(p.window - p.spent)
}

// last returns when a write that moves nothing before its end is certainly too slow: at the end of the
// first window that has not had its share.
func (p *pace) last(now time.Time) time.Time {
	until := p.deadline(now)
	if p.bytes >= p.share && !until.IsZero() {
		until = until.Add(p.window)
	}
	return until
}

// moved adds n bytes that took d of blocked time. It returns ErrTooSlow if that ends a window in
// which too little moved.
func (p *pace) moved(n int, d time.Duration) error {
	if p.window == 0 {
		return nil
	}
	p.bytes += int64(n)
	p.spent += d
	if p.spent < p.window {
		return nil
	}
	slow := p.bytes < p.share
	p.spent, p.bytes = 0, 0
	if slow {
		return ErrTooSlow
	}
	return nil
}
