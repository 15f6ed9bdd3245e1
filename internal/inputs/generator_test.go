package inputs

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

var testSeeds = []Input{
	{{}, {}},
	{{2, 'h', 'i', 0, 1, 0}, {1}},
	{bytes.Repeat([]byte{255}, 300), {1, 2, 3}},
}

func clone(in Input) (out Input) {
	for _, b := range in {
		out = append(out, append([]byte{}, b...))
	}
	return out
}

// TestInputsAreMadeAgain: an input is that of its number, whatever was made before.
func TestInputsAreMadeAgain(t *testing.T) {
	g := NewGenerator(7, 400, testSeeds)
	var all []Input
	for n := range uint64(1000) {
		all = append(all, clone(g.Input(n)))
	}
	for n := uint64(999); n > 0; n -= 37 {
		require.Equal(t, all[n], clone(NewGenerator(7, 400, testSeeds).Input(n)))
		require.Equal(t, all[n], clone(g.Input(n)))
	}
	other := 0
	for n := range uint64(1000) {
		if !bytes.Equal(all[n][0], NewGenerator(8, 400, testSeeds).Input(n)[0]) {
			other++
		}
	}
	require.Greater(t, other, 500)
}

// TestMutations: each of them changes inputs, by itself keeps memory that is not its own as it is, and takes empty ones.
func TestMutations(t *testing.T) {
	before := []Input{clone(testSeeds[0]), clone(testSeeds[1]), clone(testSeeds[2])}
	g := NewGenerator(1, 400, testSeeds)
	for i, mutate := range mutations {
		changed := 0
		for n := range uint64(300) {
			g.pcg.Seed(n, uint64(i))
			for _, in := range testSeeds {
				if !bytes.Equal(in[0], mutate(g, bytes.Clone(in[0]), 0)) {
					changed++
				}
			}
		}
		require.Greater(t, changed, 30, "mutation %d", i)
	}
	require.Equal(t, before, testSeeds)
}

// TestInputsAreBounded, and of every length up to it.
func TestInputsAreBounded(t *testing.T) {
	const longest = 20
	g := NewGenerator(3, longest, testSeeds)
	lengths := make([]int, longest+1)
	for n := range uint64(10000) {
		for _, b := range g.Input(n) {
			lengths[len(b)]++ // or panics
		}
	}
	require.NotContains(t, lengths, 0)
}

func TestShareOf(t *testing.T) {
	seen := map[string]bool{}
	for share := range 257 {
		n := shareOf(share, 2, func(b []byte) {
			require.False(t, seen[string(b)], "%x comes twice", b)
			seen[string(b)] = true
		})
		require.Equal(t, uint64(map[bool]int{false: 257, true: 1}[share == 256]), n)
	}
	require.Len(t, seen, 1+256+65536)
	require.True(t, seen[""])
}
