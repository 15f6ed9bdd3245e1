package serialtest

import "time"

// deadline is a point in time at which blocked operations are woken. The lock
// of its direction guards it; the zero value is no deadline.
type deadline struct {
	at    time.Time   // zero means none
	timer *time.Timer // made once, then reset; wakes, decides nothing
}

// set moves the deadline to t; the zero time removes it. wake runs in its own
// goroutine when the deadline passes. It may run once more for a deadline that
// has been moved meanwhile, so whoever it wakes asks passed.
func (d *deadline) set(t time.Time, wake func()) {
	d.stop()
	if t.IsZero() {
		return
	}
	// now.Add rather than t: a t without monotonic reading would let a step of
	// the wall clock part the timer from passed.
	now := time.Now()
	left := t.Sub(now)
	d.at = now.Add(left)
	switch {
	case left <= 0:
	case d.timer == nil:
		d.timer = time.AfterFunc(left, wake)
	default:
		d.timer.Reset(left)
	}
}

// stop removes the deadline and releases its timer.
func (d *deadline) stop() {
	d.at = time.Time{}
	if d.timer != nil {
		d.timer.Stop()
	}
}

// passed tells whether the deadline is now or was earlier. It reads the clock
// rather than a flag of the timer's, so that bytes arriving at the very instant
// of the deadline are late, whichever goroutine runs first.
func (d *deadline) passed() bool {
	return !d.at.IsZero() && !time.Now().Before(d.at)
}
