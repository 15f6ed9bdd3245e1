package serialserver

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// A histogram's bucket holds durations that differ by at most 1/16: each power of two nanoseconds
// is cut into 16, and the first 16 nanoseconds have a bucket each. That makes 16 + 59*16 buckets up
// to the largest duration, 7.5 KiB.
const (
	bucketBits = 4
	perPower   = 1 << bucketBits
	numBuckets = (64 - bucketBits) * perPower
)

// histogram counts durations. Its methods are safe for concurrent use.
type histogram [numBuckets]atomic.Uint64

func (h *histogram) add(d time.Duration) { h[bucket(d)].Add(1) }

// bucket returns the bucket that d, negative taken as 0, belongs to.
func bucket(d time.Duration) int {
	n := uint64(max(d, 0))
	if n < perPower {
		return int(n)
	}
	power := bits.Len64(n) - bucketBits - 1 // 0 for 16..31 ns
	return power*perPower + int(n>>power)
}

// upper returns the longest duration of a bucket.
func upper(bucket int) time.Duration {
	if bucket < perPower {
		return time.Duration(bucket)
	}
	power := bucket/perPower - 1
	return time.Duration(uint64(bucket%perPower+perPower+1)<<power - 1)
}

// quantile returns the upper end of the bucket that holds the q-quantile, 0 if all are empty.
func (h *histogram) quantile(q float64) time.Duration {
	var counts [numBuckets]uint64
	var total uint64
	for i := range h {
		counts[i] = h[i].Load()
		total += counts[i]
	}
	rank := uint64(math.Ceil(min(max(q, 0), 1) * float64(total)))
	var seen uint64
	for i, n := range counts {
		seen += n
		if n > 0 && seen >= rank {
			return upper(i)
		}
	}
	return 0
}
