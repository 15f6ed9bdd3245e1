package block_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/block"
)

// TestHashSet: each hash is remembered once, 0 and those that meet in a slot as well, whatever was there before.
func TestHashSet(t *testing.T) {
	for _, before := range []int{0, 10, 100_000} {
		require.Equal(t, []uint64{0, 5, 1<<40 + 5, 1<<41 + 5}, block.Distinct(before, 0, 5, 1<<40+5, 5, 0, 1<<41+5, 1<<40+5))
	}
	many := make([]uint64, 30_000)
	for i := range many {
		many[i] = uint64(i) << 32
	}
	require.Equal(t, many, block.Distinct(0, append(many, many...)...))
}

// TestHashSetIsBounded: a large table is not kept.
func TestHashSetIsBounded(t *testing.T) {
	require.Equal(t, 1<<16, block.KeptTable(30_000))
	require.Equal(t, 1<<12, block.KeptTable(40_000))
}

// alike returns hashes whose lower halves are the same, as words could be chosen to have.
func alike(n int) []uint64 {
	random := rand.New(rand.NewPCG(1, 2))
	hashes := make([]uint64, n)
	for i := range hashes {
		hashes[i] = random.Uint64()<<32 | 1
	}
	return hashes
}

// TestHashSetIsSpread: hashes that were chosen to meet do not.
func TestHashSetIsSpread(t *testing.T) {
	require.Less(t, block.LongestSearch(alike(5000)), 500)
}
