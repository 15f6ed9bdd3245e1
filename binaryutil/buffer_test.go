package binaryutil_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/binaryutil"
)

func TestZeroBuffer(t *testing.T) {
	var b binaryutil.Buffer
	require.Equal(t, binary.BigEndian, b.ByteOrder())
	require.Zero(t, b.Len())
	require.NoError(t, b.Finish())
	require.NoError(t, b.WriteUint16(258))
	require.Equal(t, []byte{1, 2}, b.Bytes())
	v, err := b.ReadUint16()
	require.NoError(t, err)
	require.Equal(t, uint16(258), v)
	require.NoError(t, b.Finish())
}

func TestBufferIsAReader(t *testing.T) {
	b := binaryutil.NewBuffer(nil, nil)
	_, err := b.Write([]byte("some content"))
	require.NoError(t, err)
	require.NoError(t, iotest.TestReader(b, []byte("some content")))
}

// TestBufferIsAQueue: reading to the end, raw, does not end it.
func TestBufferIsAQueue(t *testing.T) {
	var b binaryutil.Buffer
	for range 3 {
		require.NoError(t, b.WriteString("hi"))
		require.Equal(t, 6, b.Len())
		s, err := b.ReadString()
		require.NoError(t, err)
		require.Equal(t, "hi", s)
		rest, err := io.ReadAll(&b)
		require.NoError(t, err)
		require.Empty(t, rest)
	}
	require.NoError(t, b.Err())
}

func TestBufferReset(t *testing.T) {
	b := binaryutil.NewBuffer(binary.LittleEndian, nil)
	b.SetLimit(2)
	require.NoError(t, b.WriteString("too long"))
	_, err := b.ReadString()
	require.ErrorIs(t, err, binaryutil.ErrTooLarge)

	b.Reset()
	require.NoError(t, b.Err())
	require.Zero(t, b.Len())
	require.Equal(t, binary.LittleEndian, b.ByteOrder())
	require.NoError(t, b.WriteString("too long"))
	_, err = b.ReadString()
	require.ErrorIs(t, err, binaryutil.ErrTooLarge, "the limit is kept")
}

func TestBufferSlicesAreTheCallers(t *testing.T) {
	b := binaryutil.NewBuffer(nil, nil)
	require.NoError(t, b.WriteBytes([]byte("first")))
	p, err := b.ReadBytes()
	require.NoError(t, err)
	require.NoError(t, b.WriteBytes([]byte("other")))
	require.Equal(t, "first", string(p))
	require.NoError(t, b.Err())
}

func TestBufferWriteTo(t *testing.T) {
	b := binaryutil.NewBuffer(nil, []byte("content"))
	n, err := b.WriteTo(&narrow{room: 3, err: errDestination})
	require.Equal(t, int64(3), n)
	require.Equal(t, errDestination, err)
	require.NoError(t, b.Err(), "it is the destination's error")

	_, err = b.WriteTo(&narrow{room: 1})
	require.Equal(t, io.ErrShortWrite, err)

	var dst bytes.Buffer
	n, err = io.Copy(&dst, b)
	require.NoError(t, err)
	require.Equal(t, int64(3), n)
	require.Equal(t, "ent", dst.String())
	require.Zero(t, b.Len())
}

// TestBufferError: after an error, of whichever side, nothing goes in or out.
func TestBufferError(t *testing.T) {
	b := binaryutil.NewBuffer(nil, []byte{2, 1})
	_, want := b.ReadBool()
	require.ErrorIs(t, want, binaryutil.ErrMalformed)
	for _, v := range values {
		require.Equal(t, want, v.write(b), v.name)
		_, err := v.read(b)
		require.Equal(t, want, err, v.name)
	}
	_, err := b.Write([]byte{1})
	require.Equal(t, want, err)
	_, err = b.Read(make([]byte, 1))
	require.Equal(t, want, err)
	_, err = io.Copy(new(bytes.Buffer), b)
	require.Equal(t, want, err)
	require.Equal(t, want, b.Finish())
	require.Equal(t, want, b.Err())
	require.Equal(t, []byte{1}, b.Bytes())
}

func TestBufferWriteToAfterEOF(t *testing.T) {
	var b binaryutil.Buffer
	_, err := b.ReadUint8()
	require.Equal(t, io.EOF, err)
	n, err := b.WriteTo(&narrow{err: errDestination})
	require.NoError(t, err)
	require.Zero(t, n)
}

// An answer that was built in a Buffer after its end was met fails, rather than look like an empty one.
func TestBufferWriteAfterEOF(t *testing.T) {
	b := binaryutil.NewBuffer(nil, []byte{7})
	_, err := b.ReadUint8()
	require.NoError(t, err)
	_, err = b.ReadUint8()
	require.Equal(t, io.EOF, err)
	require.Equal(t, binaryutil.ErrWriteAfterEnd, b.WriteUint8(1))
	require.Equal(t, binaryutil.ErrWriteAfterEnd, b.Err())
	_, err = io.ReadAll(b)
	require.Equal(t, binaryutil.ErrWriteAfterEnd, err)
	_, err = b.WriteTo(io.Discard)
	require.Equal(t, binaryutil.ErrWriteAfterEnd, err)
	b.Reset()
	require.NoError(t, b.WriteUint8(1))
	require.Equal(t, []byte{1}, b.Bytes())
}

func TestBufferFinishConsumesNothing(t *testing.T) {
	b := binaryutil.NewBuffer(nil, []byte("abc"))
	require.Equal(t, binaryutil.ErrTrailingBytes, b.Finish())
	require.Equal(t, "abc", string(b.Bytes()))
}

func TestBufferPayloadCutFailsAtOnce(t *testing.T) {
	for range 2 {
		b := binaryutil.NewBuffer(nil, prefixed(10)[:13])
		_, err := b.ReadBytes()
		require.Equal(t, io.ErrUnexpectedEOF, err)
		require.Equal(t, 9, b.Len(), "the payload stays")
	}
}
