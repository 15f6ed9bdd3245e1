package binaryutil_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/binaryutil"
)

var errSource = errors.New("source failed")

func TestZeroReaderIsEmpty(t *testing.T) {
	var r binaryutil.Reader
	require.NoError(t, r.Finish())
	_, err := r.ReadUint32()
	require.Equal(t, io.EOF, err)
}

func TestMalformed(t *testing.T) {
	for name, b := range map[string]string{"bool": "02 00", "bool ff": "ff 00"} {
		t.Run(name, func(t *testing.T) {
			eachReader(t, unhex(t, b), func(t *testing.T, r binaryutil.BinaryReader) {
				v, err := r.ReadBool()
				require.ErrorIs(t, err, binaryutil.ErrMalformed)
				require.Regexp(t, `^binaryutil: .* bool 0x`, err.Error())
				require.False(t, v)
				_, again := r.ReadUint8()
				require.Equal(t, err, again)
				require.Equal(t, err, r.Finish())
			})
		})
	}
	for _, b := range []string{"0000000000000000 3b9aca00 00", "0000000000000000 ffffffff 00"} {
		eachReader(t, unhex(t, b), func(t *testing.T, r binaryutil.BinaryReader) {
			v, err := r.ReadTime()
			require.ErrorIs(t, err, binaryutil.ErrMalformed)
			require.Regexp(t, `^binaryutil: `, err.Error())
			require.True(t, v.IsZero())
			_, again := r.ReadUint8()
			require.Equal(t, err, again)
		})
	}
}

func TestFinish(t *testing.T) {
	eachReader(t, nil, func(t *testing.T, r binaryutil.BinaryReader) {
		require.NoError(t, r.Finish())
		require.NoError(t, r.Finish())
		require.NoError(t, r.Err())
	})
	eachReader(t, []byte{1, 2, 3}, func(t *testing.T, r binaryutil.BinaryReader) {
		_, err := r.ReadUint8()
		require.NoError(t, err)
		require.Equal(t, binaryutil.ErrTrailingBytes, r.Finish())
		require.Equal(t, binaryutil.ErrTrailingBytes, r.Err())
		_, err = r.ReadUint8()
		require.Equal(t, binaryutil.ErrTrailingBytes, err)
	})
	eachReader(t, nil, func(t *testing.T, r binaryutil.BinaryReader) {
		_, err := r.ReadUint8()
		require.Equal(t, io.EOF, err)
		require.Equal(t, io.EOF, r.Finish())
	})
}

func TestFinishReadsOneByte(t *testing.T) {
	src := strings.NewReader("abc")
	require.Equal(t, binaryutil.ErrTrailingBytes, binaryutil.NewReader(src, nil).Finish())
	require.Equal(t, 2, src.Len())
}

func TestFinishTellsWhyTheSourceFailed(t *testing.T) {
	r := binaryutil.NewReader(iotest.ErrReader(errSource), nil)
	require.Equal(t, errSource, r.Finish())
	require.Equal(t, errSource, r.Err())
}

func TestRawRead(t *testing.T) {
	eachReader(t, []byte{0, 1, 'r', 'a', 'w'}, func(t *testing.T, r binaryutil.BinaryReader) {
		_, err := r.ReadUint16()
		require.NoError(t, err)
		raw, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, "raw", string(raw))
		require.NoError(t, r.Err())
		require.NoError(t, r.Finish())
	})
	r := binaryutil.NewReader(iotest.ErrReader(errSource), nil)
	n, err := r.Read(nil)
	require.NoError(t, err, "the source is not touched")
	require.Zero(t, n)
	_, err = r.Read(make([]byte, 1))
	require.Equal(t, errSource, err)
	_, err = r.ReadUint8()
	require.Equal(t, errSource, err)
	require.Equal(t, errSource, r.Err())
}

// once gives its bytes and its error in one Read, and then other bytes.
type once struct {
	b   []byte
	err error
}

func (o *once) Read(p []byte) (int, error) {
	if o.b == nil {
		return copy(p, "after the end"), nil
	}
	n, err := copy(p, o.b), o.err
	o.b = nil
	return n, err
}

func TestErrorThatComesWithBytes(t *testing.T) {
	for _, want := range []error{errSource, io.EOF} {
		r := binaryutil.NewReader(&once{b: []byte{1, 2}, err: want}, nil)
		v, err := r.ReadUint16()
		require.NoError(t, err)
		require.Equal(t, uint16(258), v)
		_, err = r.ReadUint8()
		require.Equal(t, want, err)

		r.Reset(&once{b: []byte{1, 2}, err: want}, nil)
		_, err = r.ReadUint32()
		if want == io.EOF {
			want = io.ErrUnexpectedEOF
		}
		require.Equal(t, want, err)
	}
}

func TestNoProgress(t *testing.T) {
	stuck := io.MultiReader(strings.NewReader("\x00\x00\x00\x02a"), &stall{})
	for name, read := range map[string]func(r *binaryutil.Reader) error{
		"fixed":  func(r *binaryutil.Reader) error { _, err := r.ReadUint64(); return err },
		"bytes":  func(r *binaryutil.Reader) error { _, err := r.ReadBytes(); return err },
		"raw":    func(r *binaryutil.Reader) error { _, err := io.ReadAll(r); return err },
		"finish": func(r *binaryutil.Reader) error { return r.Finish() },
	} {
		src := io.Reader(&stall{})
		if name == "bytes" {
			src = stuck
		}
		r := binaryutil.NewReader(src, nil)
		require.Equal(t, io.ErrNoProgress, read(r), name)
		require.Equal(t, io.ErrNoProgress, r.Err(), name)
	}
}

// stall returns neither a byte nor an error.
type stall struct{}

func (*stall) Read([]byte) (int, error) { return 0, nil }

func TestReaderDoesNotReadAhead(t *testing.T) {
	src := strings.NewReader("\x00\x00\x00\x02hi!")
	s, err := binaryutil.NewReader(src, nil).ReadString()
	require.NoError(t, err)
	require.Equal(t, "hi", s)
	require.Equal(t, 1, src.Len())
}

func TestReaderReset(t *testing.T) {
	r := binaryutil.NewReader(&once{b: []byte{1}, err: errSource}, binary.LittleEndian)
	r.SetLimit(1)
	_, err := r.ReadUint8()
	require.NoError(t, err)
	_, err = r.ReadUint8()
	require.Equal(t, errSource, err)

	r.Reset(bytes.NewReader([]byte{0, 0, 0, 2, 'h', 'i'}), nil)
	require.NoError(t, r.Err())
	s, err := r.ReadString()
	require.NoError(t, err, "the limit is the default again")
	require.Equal(t, "hi", s)
	require.NoError(t, r.Finish())
}
