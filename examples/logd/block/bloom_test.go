package block_test

import (
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/block"
)

// TestBloomAnswers: what was added is there, always; what was not is there in about 1 % of the cases, whatever the
// number of hashes.
func TestBloomAnswers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 6, 7, 100, 8_400, 60_000} {
		hashes := make([]uint64, n)
		for i := range hashes {
			hashes[i] = random.Uint64()
		}
		bloom := block.Bloom(block.AppendBloom(nil, hashes))
		require.Zero(t, len(bloom)%8)
		require.InDelta(t, float64(n)*10/8, len(bloom), 8)
		for _, hash := range hashes {
			require.True(t, bloom.Has(hash))
		}
		const asked = 100_000
		wrong := 0
		for range asked {
			if bloom.Has(random.Uint64()) {
				wrong++
			}
		}
		require.Less(t, wrong, asked*15/1000, "%d hashes", n)
	}
}

// TestBloomGolden: a filter is on disk, and how it is made must not change.
func TestBloomGolden(t *testing.T) {
	bloom := block.AppendBloom(nil, []uint64{0x27d13416992c37a6, 0, 1<<64 - 1})
	require.Equal(t, "0102400008800190", hex.EncodeToString(bloom))
}

// TestBloomOfWrongLength: it rules nothing out.
func TestBloomOfWrongLength(t *testing.T) {
	for _, n := range []int{0, 1, 7, 9, 1<<27 + 8} {
		require.True(t, make(block.Bloom, n).Has(12345), "%d", n)
	}
	require.False(t, make(block.Bloom, 8).Has(12345))
	require.False(t, make(block.Bloom, 1<<27).Has(12345))
}
