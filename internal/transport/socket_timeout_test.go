package transport

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// soon is a timeout that a test really waits for.
const soon = 20 * time.Millisecond

// A peer that takes nothing is found, and the count says what it can still read. TLS sends whole
// records: what is not whole was not sent.
func TestSocketWriteTimesOut(t *testing.T) {
	for name, pair := range sockets {
		t.Run(name, func(t *testing.T) {
			own, peer := pair(t)
			out := NewOutput(NewConn(own, Rate{}))
			out.Timeout = soon
			data := pattern(1 << 24)
			_, err := out.Write(data)
			require.Equal(t, ErrTimeout, err)
			require.Equal(t, out.Sent(), out.Offered())
			require.Equal(t, out.Sent(), out.Queued())
			own.Close()
			got, _ := io.ReadAll(peer) // of TLS the rest of a record
			require.Equal(t, data[:out.Sent()], got)
		})
	}
}

// A peer that reads on in time keeps the connection: the bytes after a pause are those that follow.
func TestSocketWriteIsContinued(t *testing.T) {
	for _, name := range []string{"tcp", "unix"} {
		t.Run(name, func(t *testing.T) {
			own, _ := sockets[name](t)
			c := NewConn(own, Rate{})
			data := pattern(1 << 22)
			_, err := c.WriteWithin(data, soon)
			require.Equal(t, ErrTimeout, err, "nobody reads")

			own, peer := sockets[name](t)
			c = NewConn(own, Rate{})
			sent := run(func() (int, error) {
				n, err := c.WriteWithin(data, time.Hour)
				own.Close()
				return n, err
			})
			c.out.mu.Lock() // as if the deadline that is armed fired now
			c.out.set(longAgo)
			c.out.mu.Unlock()
			got, err := io.ReadAll(peer)
			require.NoError(t, err)
			require.Equal(t, data, got)
			require.NoError(t, (<-sent).err)
		})
	}
}

// After its timeout a TLS connection takes no further write: the record that it broke off would be
// taken for garbage.
func TestTLSAfterAWriteTimeout(t *testing.T) {
	own, peer := tlsPair(t)
	c := NewConn(own, Rate{})
	data := pattern(1 << 24)
	n, err := c.WriteWithin(data, soon)
	require.Equal(t, ErrTimeout, err)
	requireBrokenTLS(t, c)
	got, _ := io.ReadAll(peer)
	require.Equal(t, data[:n], got)
}

// The same after an interruption in the middle of a record.
func TestTLSAfterAnInterruptedWrite(t *testing.T) {
	ownTCP, peerTCP := tcpPair(t)
	slow := &brokenOff{Conn: ownTCP}
	own, peer := tlsOver(t, slow, peerTCP)
	c := NewConn(own, Rate{})
	slow.paused, slow.goOn = make(chan struct{}), make(chan struct{})
	sent := run(func() (int, error) { return c.WriteWithin([]byte("hello"), time.Hour) })
	<-slow.paused
	c.InterruptWrite()
	close(slow.goOn)
	require.Equal(t, ErrInterrupted, (<-sent).err)
	c.ResumeWrite()
	requireBrokenTLS(t, c)
	got, err := io.ReadAll(peer)
	require.Error(t, err)
	require.Empty(t, got)
}

// requireBrokenTLS requires that c writes nothing more, and closes it.
func requireBrokenTLS(t *testing.T, c *Conn) {
	t.Helper()
	for range 3 {
		n, err := c.WriteWithin([]byte("more"), time.Hour)
		require.Equal(t, ErrTimeout, err)
		require.Zero(t, n)
	}
	c.Abort()
}

// brokenOff is a connection whose writes pause after a few bytes.
type brokenOff struct {
	net.Conn
	paused, goOn chan struct{} // nil: it does not pause
}

func (c *brokenOff) Write(p []byte) (int, error) {
	if c.paused == nil {
		return c.Conn.Write(p)
	}
	n, err := c.Conn.Write(p[:7])
	if err != nil {
		return n, err
	}
	c.paused <- struct{}{}
	<-c.goOn
	m, err := c.Conn.Write(p[7:])
	return n + m, err
}

// Reads go on after timeouts, in the middle of a TLS record too.
func TestTLSReadAfterTimeouts(t *testing.T) {
	ownTCP, peerTCP := tcpPair(t)
	slow := &brokenOff{Conn: peerTCP}
	own, peer := tlsOver(t, ownTCP, slow)
	c := NewConn(own, Rate{})
	_, err := c.ReadWithin(make([]byte, 9), soon) // what the handshake left
	require.Equal(t, ErrTimeout, err)

	slow.paused, slow.goOn = make(chan struct{}), make(chan struct{})
	sent := run(func() (int, error) { return peer.Write([]byte("hello")) })
	<-slow.paused
	for range 3 {
		_, err := c.ReadWithin(make([]byte, 9), soon)
		require.Equal(t, ErrTimeout, err)
	}
	close(slow.goOn)
	p := make([]byte, 9)
	n, err := c.ReadWithin(p, 0)
	require.NoError(t, err)
	require.Equal(t, "hello", string(p[:n]))
	require.NoError(t, (<-sent).err)
}
