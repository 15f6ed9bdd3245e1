package serial_test

import (
	"bufio"
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
)

// flaky fails at write number bad, of which it takes half the bytes if it is to. It would take
// the writes after that.
type flaky struct {
	got         []byte
	writes, bad int
	half        bool
}

func (f *flaky) Write(b []byte) (int, error) {
	if f.writes++; f.writes-1 != f.bad {
		f.got = append(f.got, b...)
		return len(b), nil
	}
	n := 0
	if f.half {
		n = len(b) / 2
	}
	f.got = append(f.got, b[:n]...)
	return n, errBoom
}

// flakySink is a Sink with room for two blocks and a half, or for less than one. It wants no empty
// writes.
type flakySink struct {
	flaky
	t testing.TB
}

func (f *flakySink) Available() int          { return []int{640, 200}[f.writes%2] }
func (f *flakySink) AvailableBuffer() []byte { return make([]byte, 0, f.Available()) }
func (f *flakySink) Write(b []byte) (int, error) {
	require.NotEmpty(f.t, b)
	return f.flaky.Write(b)
}

// TestWriterErrorsStick fails each of the destination's writes in turn. The error is there at once
// and at each later call, nothing more is written, and the stream has no end.
func TestWriterErrorsStick(t *testing.T) {
	for name, open := range map[string]func(f *flakySink) *serial.Writer{
		"plain":     func(f *flakySink) *serial.Writer { return serial.NewWriter(&f.flaky) },
		"bufio 16":  func(f *flakySink) *serial.Writer { return serial.NewWriter(bufio.NewWriterSize(&f.flaky, 16)) },
		"bufio 300": func(f *flakySink) *serial.Writer { return serial.NewWriter(bufio.NewWriterSize(&f.flaky, 300)) },
		"sink":      func(f *flakySink) *serial.Writer { return serial.NewWriter(f) },
	} {
		for _, size := range []int{100, 255, 700, 20000} {
			for _, half := range []bool{false, true} {
				failed := 0
				for {
					f := &flakySink{flaky{bad: failed, half: half}, t}
					if !checkError(t, open(f), &f.flaky, size) {
						break
					}
					failed++
				}
				require.Greater(t, failed, 1, name)
			}
		}
	}
}

// checkError writes a message until w fails, and reports whether it did.
func checkError(t *testing.T, w *serial.Writer, f *flaky, size int) bool {
	m := message(20000) // more than the Writer's own buffer
	var err error
	for rest := m; err == nil && len(rest) > 0; {
		var n int
		k := min(size, len(rest))
		n, err = w.Write(rest[:k])
		if n > k || n < k && err == nil || (err != nil) != (f.writes > f.bad) {
			t.Fatalf("Write(%d bytes) = %d, %v after %d writes of which number %d fails", k, n, err, f.writes, f.bad)
		}
		rest = rest[k:]
	}
	if err == nil {
		err = w.Close()
	}
	if f.writes <= f.bad {
		require.NoError(t, err)
		return false
	}
	require.Equal(t, errBoom, err)
	writes := f.writes
	for range 2 {
		for _, n := range []int{0, 1, 255, 600} {
			written, err := w.Write(m[:n])
			require.Equal(t, errBoom, err)
			require.Zero(t, written)
		}
		require.Equal(t, errBoom, w.Flush())
		require.Equal(t, errBoom, w.Close())
	}
	require.Equal(t, writes, f.writes)
	require.True(t, bytes.HasPrefix(serial.AppendStream(nil, m), f.got))
	_, _, ended := parse(f.got)
	require.False(t, ended)
	return true
}

// TestFlushErrorSticks: the open block and the Writer's own buffer may fail at a Flush, too.
func TestFlushErrorSticks(t *testing.T) {
	for name, open := range map[string]func(f *flakySink) *serial.Writer{
		"plain": func(f *flakySink) *serial.Writer { return serial.NewWriter(&f.flaky) },
		"sink":  func(f *flakySink) *serial.Writer { return serial.NewWriter(f) },
	} {
		f := &flakySink{flaky{}, t}
		w := open(f)
		write(t, w, message(100), 100)
		require.Equal(t, errBoom, w.Flush(), name)
		require.Equal(t, errBoom, w.Flush(), name)
		require.Equal(t, errBoom, w.Close(), name)
		_, err := w.Write(nil)
		require.Equal(t, errBoom, err, name)
		require.Equal(t, 1, f.writes, name)
	}
}
