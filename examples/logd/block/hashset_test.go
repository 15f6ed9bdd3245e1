package block_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/block"
)

// TestHashSet: each hash is remembered once, 0 and those that meet in a slot as well, whatever was there before.
func TestHashSet(t *testing.T) {
	for _, before := range []int{0, 10, 100_000} {
		require.Equal(t, []uint64{0, 5, 1<<40 + 5, 1<<41 + 5}, block.Distinct(before, 0, 5, 1<<40+5, 5, 0, 1<<41+5, 1<<40+5))
	}
	many := alike(30_000)
	require.Equal(t, many, block.Distinct(0, append(many, many...)...))
}

// TestHashSetIsBounded: a large table is not kept.
func TestHashSetIsBounded(t *testing.T) {
	require.Equal(t, 1<<16, block.KeptTable(30_000))
	require.Equal(t, 1<<12, block.KeptTable(40_000))
}

// alike returns hashes that have most bits in common.
func alike(n int) []uint64 {
	hashes := make([]uint64, n)
	for i := range hashes {
		hashes[i] = uint64(i) << 32
	}
	return hashes
}

// TestHashSetIsSpread: hashes that were chosen to meet do not.
func TestHashSetIsSpread(t *testing.T) {
	require.Less(t, block.LongestSearch(alike(5000)), 2000)
}
