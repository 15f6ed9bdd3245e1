package binaryutil_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/binaryutil"
)

var errDestination = errors.New("destination failed")

// narrow takes room bytes and then fails with err, or is silent about it if that is nil. After that
// it would take any number.
type narrow struct {
	bytes.Buffer
	room   int
	err    error
	failed bool
}

func (w *narrow) Write(p []byte) (int, error) {
	if w.failed || len(p) <= w.room {
		w.room -= len(p)
		return w.Buffer.Write(p)
	}
	w.failed = true
	n, _ := w.Buffer.Write(p[:w.room])
	return n, w.err
}

func (w *narrow) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// TestWriterStops lets the destination fail after each number of bytes.
func TestWriterStops(t *testing.T) {
	whole, _ := sequence(t, nil)
	for fails, want := range map[error]error{errDestination: errDestination, nil: io.ErrShortWrite} {
		for room := range whole {
			dst := &narrow{room: room, err: fails}
			w := binaryutil.NewWriter(dst, nil)
			var first error
			for _, v := range values {
				err := v.write(w)
				if first != nil {
					require.Equal(t, first, err)
				}
				first = err
			}
			require.Equal(t, want, first)
			require.Equal(t, want, w.Err())
			n, err := w.Write([]byte("more"))
			require.Zero(t, n)
			require.Equal(t, want, err)
			require.Equal(t, string(whole[:room]), dst.String(), "nothing is written after an error")
		}
	}
}

func TestWriterReset(t *testing.T) {
	w := binaryutil.NewWriter(&narrow{err: errDestination}, nil)
	require.Equal(t, errDestination, w.WriteBool(true))
	var dst bytes.Buffer
	w.Reset(&dst, nil)
	require.NoError(t, w.Err())
	require.NoError(t, w.WriteBool(true))
	require.Equal(t, []byte{1}, dst.Bytes())
}

// counter counts calls of Write.
type counter struct{ calls int }

func (c *counter) Write(p []byte) (int, error) { c.calls++; return len(p), nil }

func TestWritesPerValue(t *testing.T) {
	for _, v := range values {
		dst := new(counter)
		require.NoError(t, v.write(binaryutil.NewWriter(dst, nil)))
		want := 1
		switch p := v.want.(type) {
		case string:
			want += min(len(p), 1)
		case []byte:
			want += min(len(p), 1)
		}
		require.Equal(t, want, dst.calls, v.name)
	}
	dst := new(counter)
	n, err := binaryutil.NewWriter(dst, nil).Write(nil)
	require.NoError(t, err)
	require.Zero(t, n)
	require.Zero(t, dst.calls)
}

func TestWriteNilBytes(t *testing.T) {
	var dst bytes.Buffer
	require.NoError(t, binaryutil.NewWriter(&dst, nil).WriteBytes(nil))
	require.Equal(t, make([]byte, 4), dst.Bytes())
}
