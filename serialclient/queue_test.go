package serialclient_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
)

// TestFifo compares it with a slice.
func TestFifo(t *testing.T) {
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 0))
		var q serialclient.Fifo
		var want []int
		most := 0
		for i := range 5000 {
			switch n := random.IntN(100); {
			case n < 50+int(seed%5):
				serialclient.Push(&q, i)
				want = append(want, i)
				require.Equal(t, i, serialclient.Last(&q))
			case len(want) == 0:
			case n < 98:
				require.Equal(t, want[0], serialclient.Pop(&q))
				want = want[1:]
			default:
				n := random.IntN(len(want) + 1)
				serialclient.Truncate(&q, n)
				want = want[:n]
			}
			most = max(most, len(want))
			require.Equal(t, len(want), serialclient.Len(&q))
			for i := range want {
				require.Equal(t, want[i], serialclient.At(&q, i))
				if i == 3 {
					break
				}
			}
			require.LessOrEqual(t, serialclient.Cap(&q), 4*most+8)
		}
	}
}

// TestFifoGivesItsMemoryBack: what was large once does not stay so.
func TestFifoGivesItsMemoryBack(t *testing.T) {
	var q serialclient.Fifo
	for i := range 100000 {
		serialclient.Push(&q, i)
	}
	for i := range 100000 {
		require.Equal(t, i, serialclient.Pop(&q))
	}
	require.Zero(t, serialclient.Cap(&q))
}

// TestFifoOfAWindow: a window that never becomes empty takes no more memory with time.
func TestFifoOfAWindow(t *testing.T) {
	var q serialclient.Fifo
	for i := range 64 {
		serialclient.Push(&q, i)
	}
	for i := range 100000 {
		serialclient.Push(&q, i)
		serialclient.Pop(&q)
	}
	require.LessOrEqual(t, serialclient.Cap(&q), 256)
}
