package serialserver_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
)

// The buckets cover all durations without a gap or an overlap, and none is wider than a sixteenth
// of what it holds.
func TestBuckets(t *testing.T) {
	lower := time.Duration(0)
	for b := range serialserver.NumBuckets {
		upper := serialserver.Upper(b)
		require.Equal(t, b, serialserver.Bucket(lower), "%d", lower)
		require.Equal(t, b, serialserver.Bucket(upper), "%d", upper)
		require.LessOrEqual(t, upper-lower, lower/16, "bucket %d", b)
		if b == serialserver.NumBuckets-1 {
			require.Equal(t, time.Duration(math.MaxInt64), upper)
			return
		}
		lower = upper + 1
	}
}

func TestNegativeDurationsCountAsNone(t *testing.T) {
	require.Zero(t, serialserver.Bucket(-1))
	require.Zero(t, serialserver.Bucket(math.MinInt64))
}

// quantile is the oracle: the smallest that at least this share does not exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	for i, d := range sorted {
		if float64(i+1) >= q*float64(len(sorted)) {
			return d
		}
	}
	return sorted[len(sorted)-1]
}

func TestQuantiles(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, draw := range map[string]func() time.Duration{
		"uniform":     func() time.Duration { return time.Duration(random.Int64N(int64(time.Second))) },
		"exponential": func() time.Duration { return time.Duration(random.ExpFloat64() * float64(time.Millisecond)) },
		"any size":    func() time.Duration { return time.Duration(random.Uint64() >> (1 + random.IntN(63))) },
		"constant":    func() time.Duration { return time.Minute },
		"two":         func() time.Duration { return time.Duration(1 + random.IntN(2)*1_000_000) },
	} {
		for _, n := range []int{1, 2, 3, 10, 1000} {
			var h serialserver.Histogram
			var all []time.Duration
			for range n {
				d := draw()
				h.Add(d)
				all = append(all, d)
			}
			slices.Sort(all)
			for _, q := range []float64{-1, 0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1, 2} {
				want, got := quantile(all, min(max(q, 0), 1)), h.Quantile(q)
				require.GreaterOrEqual(t, got, want, "%s %d %v", name, n, q)
				require.LessOrEqual(t, got-want, want/16, "%s %d %v", name, n, q)
			}
		}
	}
}

func TestQuantileOfNothing(t *testing.T) {
	var h serialserver.Histogram
	for _, q := range []float64{0, 0.5, 1, math.NaN()} {
		require.Zero(t, h.Quantile(q))
	}
}
