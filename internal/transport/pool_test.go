package transport

import (
	"net"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

// Buffers that are in use at the same time are different ones.
func TestScratch(t *testing.T) {
	used := map[*byte][]byte{}
	for i := range 4 {
		for range 50 {
			b := scratch(i%2 == 1)
			require.Len(t, b, []int{BufferSize, BulkSize}[i%2])
			require.Nil(t, used[&b[0]])
			used[&b[0]] = b
		}
		for _, b := range used {
			Release(b)
		}
		clear(used)
	}
}

// Bulk exchanges a small buffer, and keeps a large one.
func TestBulk(t *testing.T) {
	large := Bulk(Scratch())
	require.Len(t, large, BulkSize)
	require.Same(t, &large[0], &Bulk(large)[0])
	Release(large)
}

// There are so many large buffers, and who comes later gets a small one, until one is back. Those that nobody has
// any more do not count.
func TestBulkIsBounded(t *testing.T) {
	var used [][]byte
	for range maxBulk + 1 {
		used = append(used, Bulk(Scratch()))
	}
	require.Len(t, used[maxBulk], BufferSize)
	require.EqualValues(t, maxBulk, bulkMade.Load())
	require.True(t, len(scratch(true)) == BufferSize)
	used = nil
	back := make(chan struct{})
	runtime.AddCleanup(new([64]byte), func(c chan struct{}) { close(c) }, back) // behind theirs
	for runtime.GC(); bulkMade.Load() == maxBulk; runtime.GC() {
		<-back
	}
	b := Bulk(Scratch())
	require.True(t, len(b) == BulkSize)
	Release(b)
}

// While an input is filled as a whole it has a large buffer, and then a small one again.
func TestInputOfAStream(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		in, peer := inputPipe(t, layer, serialtest.Buffer(1<<20))
		sent := pattern(BufferSize + BulkSize + BufferSize + 1)
		mustWrite(t, peer, string(sent))
		for _, want := range []struct{ buffered, size int }{
			{BufferSize, BufferSize}, {BulkSize, BulkSize}, {BufferSize + 1, BulkSize},
		} {
			_, err := in.Peek(1)
			require.NoError(t, err)
			require.Equal(t, want.buffered, in.Buffered())
			require.Len(t, in.buf, want.size)
			mustTake(t, in, string(sent[:want.buffered]))
			sent = sent[want.buffered:]
		}
		for _, size := range []int{BulkSize, BufferSize} { // of the buffer for a byte
			mustWrite(t, peer, "x")
			mustTake(t, in, "x")
			require.Len(t, in.buf, size)
		}
	})
}

// While an output is flushed as a whole it has a large buffer, and then a small one again.
func TestOutputOfAStream(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		out, peer := outputPipe(t, layer, serialtest.Buffer(1<<20))
		for _, step := range []struct{ written, size int }{
			{BufferSize - 1, BufferSize}, {BufferSize, BufferSize}, {BulkSize, BulkSize},
			{BufferSize, BulkSize}, {1, BulkSize}, {1, BufferSize},
		} {
			require.Equal(t, step.size, out.Available())
			data := pattern(step.written)
			_, err := out.Write(data)
			require.NoError(t, err)
			require.NoError(t, out.Flush())
			mustRead(t, peer, string(data))
		}
		require.Equal(t, BufferSize, out.Available())
	})
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
