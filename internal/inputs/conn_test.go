package inputs

import (
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestConnSpeaks in the pieces that it was told, and takes what it is told.
func TestConnSpeaks(t *testing.T) {
	c := NewConn()
	for range 2 { // the second is no other than the first
		c.Reset([]byte("hello world"), []byte{2, 0, 5}, 0)
		p, sizes := make([]byte, 4), []int{}
		for {
			n, err := c.Read(p)
			if err != nil {
				require.Equal(t, io.EOF, err)
				break
			}
			sizes = append(sizes, n)
		}
		require.Equal(t, []int{2, 1, 4, 2, 1, 1}, sizes)
		n, err := c.Write([]byte("ok"))
		require.Equal(t, []any{2, nil}, []any{n, err})
		require.NoError(t, c.CloseWrite())
		_, err = c.Write([]byte("more"))
		require.ErrorIs(t, err, syscall.EPIPE)
		require.Equal(t, "ok", string(c.Written()))
		require.False(t, c.Closed())
		require.NoError(t, c.Close())
		require.True(t, c.Closed())
		_, err = c.Read(p)
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = c.Write(p)
		require.ErrorIs(t, err, net.ErrClosed)
		require.ErrorIs(t, c.CloseWrite(), net.ErrClosed)
		require.ErrorIs(t, c.Close(), net.ErrClosed)
	}
}

// TestConnWaits until it was told enough, has a deadline in the past, or is closed.
func TestConnWaits(t *testing.T) {
	for name, step := range map[string]struct {
		do   func(c *Conn)
		want error
	}{
		"written":  {func(c *Conn) { c.Write([]byte{2}) }, nil},
		"deadline": {func(c *Conn) { c.SetReadDeadline(time.Now()) }, os.ErrDeadlineExceeded},
		"closed":   {func(c *Conn) { c.Close() }, net.ErrClosed},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := NewConn()
			c.Reset([]byte{7}, nil, 2)
			c.Write([]byte{0})
			done := make(chan error)
			ended := false
			go func() {
				_, err := c.Read(make([]byte, 1))
				ended = true
				done <- err
			}()
			synctest.Wait()
			require.False(t, ended, name)
			step.do(c)
			require.Equal(t, step.want, <-done, name)
		})
	}
}
