package transport

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Buffers that are in use at the same time are different ones.
func TestScratch(t *testing.T) {
	used := map[*[BufferSize]byte]bool{}
	for range 3 {
		for range 50 {
			b := Scratch()
			require.False(t, used[b])
			used[b] = true
		}
		for b := range used {
			Release(b)
		}
		clear(used)
	}
}

// A busy connection takes its buffers from the pool and makes no new ones.
func TestBuffersAreReused(t *testing.T) {
	in, peer := inputPipe(t, layers["stepped"])
	out := NewOutput(in.conn)
	p := []byte("x")
	allocs := testing.AllocsPerRun(100, func() {
		peer.Write(p)
		in.Peek(1)
		in.Discard(1)
		in.Release()
		out.Write(p)
		out.Lend()
		out.Reclaim()
		out.Flush()
		out.Release()
		var b [1]byte
		peer.Read(b[:])
	})
	require.LessOrEqual(t, allocs, 3.0)
	out.Stop()
}
