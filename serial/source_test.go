package serial_test

import (
	"bufio"
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
)

// source is a Source of given answers. It checks that a Reader keeps to what Source promises.
type source struct {
	*bufio.Reader
	t       testing.TB
	peek    func(n int) ([]byte, error)
	discard error
}

func (s *source) Peek(n int) ([]byte, error) {
	require.Equal(s.t, max(1, s.Buffered()), n)
	if s.peek != nil {
		return s.peek(n)
	}
	return s.Reader.Peek(n)
}

func (s *source) Discard(n int) (int, error) {
	require.LessOrEqual(s.t, n, s.Buffered())
	if s.discard != nil {
		return 0, s.discard
	}
	return s.Reader.Discard(n)
}

// newSource gives b in two pieces.
func newSource(t testing.TB, b []byte, size int) *source {
	in := &pieceReader{pieces: [][]byte{b[:len(b)/2], b[len(b)/2:]}}
	return &source{Reader: bufio.NewReaderSize(in, size), t: t}
}

func TestReaderKeepsToTheSource(t *testing.T) {
	for _, n := range sizes {
		for _, size := range bufferSizes {
			stream := append(serial.AppendStream(nil, message(n)), "rest"...)
			var r serial.Reader
			r.Reset(newSource(t, stream, size))
			got, err := io.ReadAll(&r)
			require.NoError(t, err)
			require.True(t, bytes.Equal(message(n), got))
			r.Reset(newSource(t, stream, size))
			skipped, err := r.Discard(1 << 20)
			require.Equal(t, []any{int64(n), io.EOF}, []any{skipped, err})
		}
	}
}

// TestReaderOfABadSource ends with an error and not in a loop.
func TestReaderOfABadSource(t *testing.T) {
	for name, c := range map[string]struct {
		s    source
		want error
	}{
		"nothing, no error": {source{peek: func(int) ([]byte, error) { return nil, nil }}, io.ErrNoProgress},
		"nothing, an error": {source{peek: func(int) ([]byte, error) { return nil, errBoom }}, errBoom},
		"discard fails":     {source{discard: errBoom}, errBoom},
	} {
		for _, read := range []func(r *serial.Reader) error{
			func(r *serial.Reader) error { _, err := r.Read(make([]byte, 10)); return err },
			func(r *serial.Reader) error {
				n, err := r.Discard(10)
				require.Zero(t, n, name) // none for certain
				return err
			},
		} {
			s := c.s
			s.t, s.Reader = t, bufio.NewReader(bytes.NewReader([]byte{1, 7, 0}))
			var r serial.Reader
			r.Reset(&s)
			require.Equal(t, c.want, read(&r), name)
			s.peek, s.discard = nil, nil // it would recover
			for range 2 {
				require.Equal(t, c.want, read(&r), name)
			}
		}
	}
}
