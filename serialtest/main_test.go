package serialtest_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/serialkit/serialkit/serialtest"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { serialtest.Main(m) }

// result is how a Read or Write ended, and when.
type result struct {
	data  string // what a Read read
	n     int
	err   error
	after time.Duration // since the call
}

// reading starts one Read into size bytes.
func reading(c io.Reader, size int) <-chan result {
	return running(func(p []byte) (int, error) { return c.Read(p) }, make([]byte, size), true)
}

// writing starts one Write of s.
func writing(c io.Writer, s string) <-chan result {
	return running(c.Write, []byte(s), false)
}

func running(op func([]byte) (int, error), p []byte, read bool) <-chan result {
	done := make(chan result, 1)
	start := time.Now()
	go func() {
		n, err := op(p)
		r := result{n: n, err: err, after: time.Since(start)}
		if read {
			r.data = string(p[:n])
		}
		done <- r
	}()
	return done
}

// pending requires that an operation has not ended yet.
func pending(t *testing.T, done <-chan result) {
	t.Helper()
	select {
	case r := <-done:
		require.Failf(t, "has ended", "%+v", r)
	default:
	}
}

func mustWrite(t *testing.T, c io.Writer, s string) {
	t.Helper()
	n, err := io.WriteString(c, s)
	require.NoError(t, err)
	require.Equal(t, len(s), n)
}

// mustRead requires that the next Read returns want.
func mustRead(t *testing.T, c io.Reader, want string) {
	t.Helper()
	buf := make([]byte, 100)
	n, err := c.Read(buf)
	require.NoError(t, err)
	require.Equal(t, want, string(buf[:n]))
}

// readFails requires that the next Read moves nothing and fails with want.
func readFails(t *testing.T, c io.Reader, want error) {
	t.Helper()
	n, err := c.Read(make([]byte, 100))
	require.ErrorIs(t, err, want)
	require.Zero(t, n)
}

// writeFails requires that the next Write moves nothing and fails with want.
func writeFails(t *testing.T, c io.Writer, want error) {
	t.Helper()
	n, err := c.Write([]byte("lost"))
	require.ErrorIs(t, err, want)
	require.Zero(t, n)
}

func closeWrite(t *testing.T, c net.Conn) error {
	t.Helper()
	half, ok := c.(interface{ CloseWrite() error })
	require.True(t, ok, "no CloseWrite")
	return half.CloseWrite()
}
