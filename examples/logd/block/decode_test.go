package block_test

import (
	"bytes"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/block"
	"github.com/serialkit/serialkit/examples/logd/block/blocktest"
)

// sealed returns a block of n records: the records as they were, and compressed.
func sealed(n int) (raw, data []byte) {
	raw = blocktest.NewSource(uint64(n)).Batch(n)
	builder := block.NewBuilder()
	fill(builder, raw)
	out, bloomLen, _ := builder.Finish(nil)
	return raw, out[bloomLen:]
}

// TestDecodeExact: a block decodes to its length and to no other.
func TestDecodeExact(t *testing.T) {
	raw, data := sealed(50)
	out, err := block.Decode(data, len(raw), []byte("before"))
	require.NoError(t, err)
	require.Equal(t, append([]byte("before"), raw...), out)
	for _, n := range []int{-1, 0, 1, len(raw) - 1, len(raw) + 1, block.MaxRaw, block.MaxRaw + 1} {
		out, err = block.Decode(data, n, []byte("before"))
		require.ErrorIs(t, err, block.ErrCorrupt, "%d", n)
		require.Equal(t, "before", string(out))
	}
}

// TestDecodeBomb: what would decode to more than it says stops there, and takes no room for more, whether or not it
// says so at its beginning.
func TestDecodeBomb(t *testing.T) {
	zeros := make([]byte, 64<<20)
	whole, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	require.NoError(t, err)
	var stream bytes.Buffer
	streamed, err := zstd.NewWriter(&stream, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(64<<10))
	require.NoError(t, err)
	_, err = streamed.Write(zeros)
	require.NoError(t, err)
	require.NoError(t, streamed.Close())
	small := whole.EncodeAll(zeros[:block.MaxRaw/2], nil)
	for name, bomb := range map[string][]byte{
		"whole": whole.EncodeAll(zeros, nil), "streamed": stream.Bytes(), "many": bytes.Repeat(small, 100),
	} {
		require.Less(t, len(bomb), 64<<10, name)
		for _, n := range []int{1000, block.MaxRaw} {
			room := bytes.Repeat([]byte{1}, 2*block.MaxRaw)
			out, err := block.Decode(bomb, n, room[:0])
			require.ErrorIs(t, err, block.ErrCorrupt, name)
			require.Empty(t, out)
			require.Equal(t, -1, bytes.IndexByte(room[n:], 0), name)
		}
		require.Less(t, allocated(func() { _, _ = block.Decode(bomb, 1000, nil) }), uint64(block.MaxRaw), name)
	}
	_, err = block.Decode(bytes.Repeat(small, 2), block.MaxRaw, nil)
	require.NoError(t, err)
}

// allocated returns how many bytes f takes.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestDecodeTakesNoRoom: for a length that no block has.
func TestDecodeTakesNoRoom(t *testing.T) {
	_, data := sealed(1)
	require.Less(t, allocated(func() {
		_, err := block.Decode(data, 1<<30, nil)
		require.ErrorIs(t, err, block.ErrCorrupt)
	}), uint64(block.MaxRaw))
}

// TestDecodeDamaged: cut or flipped it is an error, or what it was, or other bytes of the same length: the checksum outside is
// what tells those. It never panics.
func TestDecodeDamaged(t *testing.T) {
	raw, data := sealed(20)
	for n := range data {
		_, err := block.Decode(data[:n], len(raw), nil)
		require.ErrorIs(t, err, block.ErrCorrupt, "%d", n)
	}
	sum := block.Checksum(data)
	for i := range data {
		for bit := range 8 {
			bad := slices.Clone(data)
			bad[i] ^= 1 << bit
			require.NotEqual(t, sum, block.Checksum(bad))
			if out, err := block.Decode(bad, len(raw), nil); err == nil {
				require.Len(t, out, len(raw))
			} else {
				require.ErrorIs(t, err, block.ErrCorrupt)
			}
		}
	}
}

// TestDecodeTogether: many goroutines decode at once.
func TestDecodeTogether(t *testing.T) {
	raw, data := sealed(100)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			var out []byte
			for range 20 {
				var err error
				if out, err = block.Decode(data, len(raw), out[:0]); err != nil || !bytes.Equal(raw, out) {
					t.Errorf("decoded %d bytes: %v", len(out), err)
				}
			}
		})
	}
	all.Wait()
}

// TestChecksum is the check value of CRC-32C.
func TestChecksum(t *testing.T) {
	require.Equal(t, uint32(0xE3069283), block.Checksum([]byte("123456789")))
}

func FuzzDecode(f *testing.F) {
	raw, data := sealed(3)
	f.Add(data, len(raw))
	f.Add(data, len(raw)+1)
	f.Fuzz(func(t *testing.T, data []byte, n int) {
		out, err := block.Decode(data, n, nil)
		if err != nil {
			require.ErrorIs(t, err, block.ErrCorrupt)
			require.Empty(t, out)
			return
		}
		require.Len(t, out, n)
		require.LessOrEqual(t, n, block.MaxRaw)
	})
}
