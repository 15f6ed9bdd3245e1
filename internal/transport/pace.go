package transport

import "time"

// pace measures one direction against the minimum rate and the total time of a message. Only the time in
// which this side was blocked on the peer counts, so a slow handler is never held against the peer. The
// blocked time is cut into windows, and in each the peer has to move its share.
type pace struct {
	rate   Rate
	window time.Duration // 0: no minimum
	share  int64         // bytes a window

	spent time.Duration // blocked time in this window
	bytes int64         // moved in this window

	bounded bool          // the message has a total
	left    time.Duration // blocked time that is left of it
}

func newPace(r Rate) pace {
	p := pace{rate: r}
	if r.BytesPerSecond > 0 && r.Window > 0 {
		share := int64(float64(r.BytesPerSecond) * r.Window.Seconds())
		p.window, p.share = r.Window, max(share, 1)
	}
	return p
}

// begin begins a message, in which this side may be blocked for total; 0 or less: without a bound. Its first
// window begins too: what a peer gives and takes between messages, and together with the waiting for them, is not
// measured, so many small messages, each with a little waiting, would add up to a window with next to nothing in it.
func (p *pace) begin(r Rate, total time.Duration) {
	if r != p.rate {
		*p = newPace(r)
	}
	p.spent, p.bytes = 0, 0
	p.bounded, p.left = total > 0, total
}

// deadline returns when the window or the message's time ends, if this side is blocked from now on.
func (p *pace) deadline(now time.Time) time.Time {
	return earlier(p.windowEnd(now), p.end(now))
}

func (p *pace) windowEnd(now time.Time) time.Time {
	if p.window == 0 {
		return time.Time{}
	}
	return now.Add(p.window - p.spent)
}

func (p *pace) end(now time.Time) time.Time {
	if !p.bounded {
		return time.Time{}
	}
	return now.Add(p.left)
}

// last returns when a write that moves nothing before its end is certainly too slow: at the end of the
// first window that has not had its share, or of the message's time.
func (p *pace) last(now time.Time) time.Time {
	until := p.windowEnd(now)
	if p.bytes >= p.share && !until.IsZero() {
		until = until.Add(p.window)
	}
	return earlier(until, p.end(now))
}

// moved adds n bytes that took d of blocked time. It returns ErrTooSlow if that ends a window in
// which too little moved, and ErrTooLong if it ends the message's time.
func (p *pace) moved(n int, d time.Duration) error {
	p.left -= d
	if p.bounded && p.left <= 0 {
		return ErrTooLong
	}
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
