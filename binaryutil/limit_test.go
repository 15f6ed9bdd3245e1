package binaryutil_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/binaryutil"
)

// prefixed returns a payload of n bytes behind its length.
func prefixed(n int) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(n))
	for i := range n {
		b = append(b, byte('a'+i%26))
	}
	return b
}

func TestLimit(t *testing.T) {
	const chunk = binaryutil.ChunkSize
	for _, limit := range []int{1, 10, chunk - 1, chunk, chunk + 1, 3 * chunk} {
		for _, n := range []int{limit - 1, limit, limit + 1} {
			b := prefixed(n)
			eachReader(t, b, func(t *testing.T, r binaryutil.BinaryReader) {
				r.SetLimit(limit)
				s, err := r.ReadString()
				checkLimit(t, []byte(s), err, b[4:], limit)
			})
			eachReader(t, b, func(t *testing.T, r binaryutil.BinaryReader) {
				r.SetLimit(limit)
				p, err := r.ReadBytes()
				checkLimit(t, p, err, b[4:], limit)
			})
		}
	}
}

func checkLimit(t *testing.T, got []byte, err error, want []byte, limit int) {
	t.Helper()
	if len(want) <= limit {
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
		return
	}
	require.ErrorIs(t, err, binaryutil.ErrTooLarge)
	var tooLarge *binaryutil.TooLargeError
	require.ErrorAs(t, err, &tooLarge)
	require.Equal(t, binaryutil.TooLargeError{Size: uint64(len(want)), Limit: uint64(limit)}, *tooLarge)
	require.Empty(t, got)
}

func TestDefaultLimit(t *testing.T) {
	for _, set := range []int{math.MinInt, -1, 0} {
		for size, want := range map[uint32]error{
			binaryutil.DefaultLimit:     io.ErrUnexpectedEOF, // accepted, but nothing comes
			binaryutil.DefaultLimit + 1: binaryutil.ErrTooLarge,
			math.MaxUint32:              binaryutil.ErrTooLarge,
		} {
			eachReader(t, binary.BigEndian.AppendUint32(nil, size), func(t *testing.T, r binaryutil.BinaryReader) {
				r.SetLimit(1)
				r.SetLimit(set)
				_, err := r.ReadBytes()
				require.ErrorIs(t, err, want)
				require.Equal(t, err, r.Finish())
			})
		}
	}
}

func TestTooLargeError(t *testing.T) {
	err := error(&binaryutil.TooLargeError{Size: 11, Limit: 10})
	require.EqualError(t, err, "binaryutil: length 11 exceeds the limit of 10 bytes")
	require.ErrorIs(t, err, binaryutil.ErrTooLarge)
	require.NotErrorIs(t, err, binaryutil.ErrMalformed)
}

func TestWriteLimit(t *testing.T) {
	var dst bytes.Buffer
	w := binaryutil.NewWriter(&dst, nil)
	require.NoError(t, w.WriteLength(math.MaxUint32-1))
	require.NoError(t, w.WriteLength(math.MaxUint32))
	require.Equal(t, "fffffffeffffffff", hex.EncodeToString(dst.Bytes()))

	want := &binaryutil.TooLargeError{Size: math.MaxUint32 + 1, Limit: math.MaxUint32}
	require.Equal(t, want, w.WriteLength(math.MaxUint32+1))
	require.Equal(t, want, w.WriteLength(math.MaxUint32+2), "the first error sticks")
	require.Equal(t, want, w.WriteLength(0))
	require.Equal(t, want, w.Err())
	require.Equal(t, 8, dst.Len())
}

// TestBufferWriteError: an answer that was not built whole does not look complete.
func TestBufferWriteError(t *testing.T) {
	b := binaryutil.NewBuffer(nil, nil)
	require.NoError(t, b.WriteUint8(1))
	want := b.WriteLength(math.MaxUint32 + 1)
	require.ErrorIs(t, want, binaryutil.ErrTooLarge)
	require.Equal(t, want, b.Err())
	n, err := b.Read(make([]byte, 1))
	require.Zero(t, n)
	require.Equal(t, want, err)
	_, err = b.WriteTo(new(bytes.Buffer))
	require.Equal(t, want, err)
	require.Equal(t, want, b.Finish())
	b.Reset()
	require.NoError(t, b.Err())
}
