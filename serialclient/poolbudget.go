package serialclient

import "time"

// token is one token of a bucket, which counts in billionths: so a rate per second is exact to the
// nanosecond.
const token = 1_000_000_000

// bucket is a token bucket.
type bucket struct {
	level, most int64 // in billionths of a token
	perSecond   int64
	at          time.Time // of the level
}

// newBucket returns a full bucket for so many tokens.
func newBucket(tokens, perSecond int, now time.Time) bucket {
	most := int64(min(tokens, 1_000_000_000)) * token
	return bucket{level: most, most: most, perSecond: int64(perSecond), at: now}
}

// refill adds what the time has brought.
func (b *bucket) refill(now time.Time) {
	passed := min(max(now.Sub(b.at), 0), time.Hour) // the product fits
	b.at = now
	b.add(int64(passed) * b.perSecond)
}

// add adds billionths of a token.
func (b *bucket) add(n int64) { b.level = min(b.level+n, b.most) }

// take takes a token, if there is one.
func (b *bucket) take(now time.Time) bool {
	b.refill(now)
	if b.level < token {
		return false
	}
	b.level -= token
	return true
}

// next returns when there will be a token; now or before if there is one. The bucket has a rate.
func (b *bucket) next(now time.Time) time.Time {
	b.refill(now)
	missing := max(token-b.level, 0)
	return now.Add(time.Duration((missing + b.perSecond - 1) / b.perSecond))
}
