package binaryutil_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/binaryutil"
)

// endless reads as zeros, so that every fixed value can be read from it.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func readFixed(r binaryutil.BinaryReader) {
	for _, v := range fixedValues {
		v(r)
	}
}

var fixedValues = []func(r binaryutil.BinaryReader){
	func(r binaryutil.BinaryReader) { r.ReadBool() },
	func(r binaryutil.BinaryReader) { r.ReadInt8() },
	func(r binaryutil.BinaryReader) { r.ReadInt16() },
	func(r binaryutil.BinaryReader) { r.ReadInt32() },
	func(r binaryutil.BinaryReader) { r.ReadInt64() },
	func(r binaryutil.BinaryReader) { r.ReadUint8() },
	func(r binaryutil.BinaryReader) { r.ReadUint16() },
	func(r binaryutil.BinaryReader) { r.ReadUint32() },
	func(r binaryutil.BinaryReader) { r.ReadUint64() },
	func(r binaryutil.BinaryReader) { r.ReadFloat32() },
	func(r binaryutil.BinaryReader) { r.ReadFloat64() },
	func(r binaryutil.BinaryReader) { r.ReadTime() },
	func(r binaryutil.BinaryReader) { r.ReadDuration() },
}

func writeFixed(w binaryutil.BinaryWriter) {
	w.WriteBool(true)
	w.WriteInt8(1)
	w.WriteInt16(1)
	w.WriteInt32(1)
	w.WriteInt64(1)
	w.WriteUint8(1)
	w.WriteUint16(1)
	w.WriteUint32(1)
	w.WriteUint64(1)
	w.WriteFloat32(1)
	w.WriteFloat64(1)
	w.WriteTime(time.Time{})
	w.WriteDuration(1)
}

func TestFixedValuesAllocateNothing(t *testing.T) {
	for name, order := range orders {
		var r binaryutil.Reader
		require.Zero(t, testing.AllocsPerRun(100, func() {
			r.Reset(endless{}, order)
			readFixed(&r)
		}), name)
		require.NoError(t, r.Err())

		var w binaryutil.Writer
		payload := []byte{1}
		require.Zero(t, testing.AllocsPerRun(100, func() {
			w.Reset(io.Discard, order)
			writeFixed(&w)
			w.WriteBytes(payload)
			w.WriteString("x") // io.Discard is an io.StringWriter
		}), name)
		require.NoError(t, w.Err())

		b := binaryutil.NewBuffer(order, nil)
		require.Zero(t, testing.AllocsPerRun(100, func() {
			b.Reset()
			writeFixed(b)
			readFixed(b)
		}), name)
		require.NoError(t, b.Finish())
	}
}

func TestStringsAllocateOnce(t *testing.T) {
	encoded, src := prefixed(binaryutil.ChunkSize), new(bytes.Reader)
	var r binaryutil.Reader
	once := func(read func()) float64 {
		return testing.AllocsPerRun(100, func() {
			src.Reset(encoded)
			r.Reset(src, nil)
			read()
		})
	}
	require.Equal(t, 1.0, once(func() { r.ReadString() }))
	require.Equal(t, 1.0, once(func() { r.ReadBytes() }))
	require.NoError(t, r.Finish())

	b, s := binaryutil.NewBuffer(nil, nil), strings.Repeat("x", 3*binaryutil.ChunkSize)
	require.Equal(t, 1.0, testing.AllocsPerRun(100, func() { b.WriteString(s); b.ReadString() }))
	require.Equal(t, 1.0, testing.AllocsPerRun(100, func() { b.WriteString(s); b.ReadBytes() }))
	require.NoError(t, b.Finish())
}

// allocated returns how many bytes f allocates, at the least of some tries.
func allocated(f func()) uint64 {
	least := ^uint64(0)
	var before, after runtime.MemStats
	for range 5 {
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

// TestAllocationFollowsArrival: a prefix that promises nearly the limit costs what arrives.
func TestAllocationFollowsArrival(t *testing.T) {
	const slack = 2*binaryutil.ChunkSize + 1024 // the first chunk, the pooled one, the runtime's rounding
	for _, arrive := range []int{0, 1, 511, 1023, 1024, 1025, 2048, 5000, 1 << 16, 1<<16 + 1, 1 << 20, 1<<20 + 1} {
		b := binary.BigEndian.AppendUint32(nil, binaryutil.DefaultLimit-1)
		b = append(b, make([]byte, arrive)...)
		src := bytes.NewReader(b)
		var r binaryutil.Reader
		for name, read := range map[string]func() error{
			"string": func() error { _, err := r.ReadString(); return err },
			"bytes":  func() error { _, err := r.ReadBytes(); return err },
		} {
			got := allocated(func() {
				src.Reset(b)
				r.Reset(src, nil)
				if read() != io.ErrUnexpectedEOF {
					panic("must be cut")
				}
			})
			require.LessOrEqual(t, got, uint64(4*arrive+slack), "%s, %d bytes arrive", name, arrive)
		}
	}
}

// TestAllocationOfWholeValues: the copy of a long string counts too.
func TestAllocationOfWholeValues(t *testing.T) {
	const slack = 2*binaryutil.ChunkSize + 1024
	const pages = 2 * 8192 // the runtime rounds the slice and the string up
	for _, n := range []int{100, 1025, 5000, 1<<16 + 1, 1<<20 + 1} {
		b, src := prefixed(n), new(bytes.Reader)
		var r binaryutil.Reader
		got := allocated(func() {
			src.Reset(b)
			r.Reset(src, nil)
			r.ReadString()
		})
		require.NoError(t, r.Finish())
		require.LessOrEqual(t, got, uint64(4*n+slack+pages), "%d bytes", n)
	}
}

func TestCutPayloadInBufferAllocatesNothing(t *testing.T) {
	b := binaryutil.NewBuffer(nil, nil)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		b.Reset()
		b.WriteUint32(binaryutil.DefaultLimit)
		b.WriteUint64(0)
		b.ReadBytes()
	}))
	require.Equal(t, io.ErrUnexpectedEOF, b.Err())
}
