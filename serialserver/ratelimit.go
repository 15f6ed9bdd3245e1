package serialserver

import (
	"context"
	"io"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
)

// maxRateKeys is how many keys LimitRate tells apart at a time, those of which nothing was heard for long not
// counted (65,536; some 100 bytes each).
const maxRateKeys = 1 << 16

// LimitRate returns middleware that lets perSecond tasks begin in a second, of all codes that it is put around,
// and after a pause up to burst of them at once. Those beyond are answered with error 252 (busy), and do
// not count. perSecond must be positive and burst 1 at least. More than 1e9 per second are that, less than one in a
// century is that, and a burst is what comes together in a century at the most.
//
// Clients for which by returns the same key share a rate, with a nil by all of them; see ByAddress. At most 65,536
// keys have a rate at a time: while all of them are in use those with a new key are busy.
func LimitRate(perSecond float64, burst int, by func(c *Client) string) func(TaskFunc) TaskFunc {
	if !(perSecond > 0) || burst < 1 {
		panic("serialserver: LimitRate without a positive rate and burst")
	}
	interval, tolerance := bucketOf(perSecond, burst)
	rates := &rates{interval: interval, tolerance: tolerance, next: make(map[string]time.Time)}
	return func(f TaskFunc) TaskFunc {
		return func(ctx context.Context, c *Client, in binaryutil.BinaryReader, lg *zap.Logger, args ...interface{}) (io.Reader, error) {
			key := ""
			if by != nil {
				key = by(c)
			}
			if !rates.take(key, time.Now()) {
				return nil, serial.Errorf(serial.ErrorBusy, "serialserver: tasks above the rate of %v per second", perSecond)
			}
			return f(ctx, c, in, lg, args...)
		}
	}
}

// bucketOf returns the time of a token, and of burst-1 of them, each from a nanosecond to maxTokenTime.
func bucketOf(perSecond float64, burst int) (interval, tolerance time.Duration) {
	interval = maxTokenTime
	if d := float64(time.Second) / perSecond; d < float64(maxTokenTime) {
		interval = max(time.Duration(d), 1)
	}
	if time.Duration(burst-1) > maxTokenTime/interval { // which an int of 32 bits does not hold
		return interval, maxTokenTime
	}
	return interval, time.Duration(burst-1) * interval
}

// maxTokenTime bounds the time of a rate and of a burst: sums of two are durations.
const maxTokenTime = 100 * 365 * 24 * time.Hour

// rates is a token bucket for each key, kept as the time from which it is full again (the generic cell rate
// algorithm of ITU-T I.371).
type rates struct {
	interval  time.Duration // of a token; never changes, as the next one
	tolerance time.Duration // how far a bucket may be from full, for one more token to be taken

	mu    sync.Mutex // guards what follows
	next  map[string]time.Time
	sweep int       // at how many keys those that are full are forgotten
	swept time.Time // when they were
}

// take takes a token of key, if there is one.
func (r *rates) take(key string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	full, known := r.next[key]
	switch {
	case full.After(now.Add(r.tolerance)):
		return false
	case full.Before(now):
		full = now
	}
	if !known && !r.roomLocked(now) {
		return false
	}
	r.next[key] = full.Add(r.interval)
	return true
}

// roomLocked reports whether there is room for one more key. Those whose buckets are full again are as if they had
// never come.
func (r *rates) roomLocked(now time.Time) bool {
	switch {
	case len(r.next) < r.sweep:
		return true
	case now.Sub(r.swept) < r.interval: // nothing much has become full since
		return len(r.next) < maxRateKeys
	}
	r.swept = now
	for key, full := range r.next {
		if !full.After(now) {
			delete(r.next, key)
		}
	}
	r.sweep = min(max(2*len(r.next), 1024), maxRateKeys)
	return len(r.next) < maxRateKeys
}
