package transport

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

const lastWords = "last words"

// flood makes peer send more than anybody reads, and then read what it was answered.
func flood(peer net.Conn) <-chan answer {
	done := make(chan answer, 1)
	go func() {
		_, werr := peer.Write(make([]byte, 1<<20)) // in no time: there are 500 ms for each pause
		got, err := io.ReadAll(peer)
		peer.Close()
		done <- answer{string(got), errors.Join(werr, err)}
	}()
	return done
}

type answer struct {
	text string
	err  error
}

// A client that goes on sending gets the last answer all the same.
func TestLingeringCloseLosesNothing(t *testing.T) {
	for name, pair := range sockets {
		t.Run(name, func(t *testing.T) {
			for range 10 {
				own, peer := pair(t)
				c := NewConn(own, Rate{})
				got := flood(peer)
				_, err := c.ReadWithin(make([]byte, 1), limit)
				require.NoError(t, err)
				_, err = c.WriteWithin([]byte(lastWords), limit)
				require.NoError(t, err)
				require.NoError(t, c.CloseLingering())
				require.Equal(t, answer{text: lastWords}, <-got)
			}
		})
	}
}

// A plain close with input unread destroys what the kernel has not delivered, the lingering one does
// not. This is why CloseLingering exists.
func TestCloseOfAnAnswerThatIsNotDelivered(t *testing.T) {
	const size = 200 << 10 // fits into the sender's buffer and not into the receiver's
	answer := pattern(size)
	for name, test := range map[string]struct {
		close func(*Conn) error
		whole bool
	}{
		"plain":     {(*Conn).Close, false},
		"lingering": {(*Conn).CloseLingering, true},
	} {
		t.Run(name, func(t *testing.T) {
			own, peer := tcpPair(t)
			require.NoError(t, own.(*net.TCPConn).SetWriteBuffer(1<<20))
			require.NoError(t, peer.(*net.TCPConn).SetReadBuffer(4<<10))
			_, err := peer.Write([]byte("not read"))
			require.NoError(t, err)
			c := NewConn(own, Rate{})
			_, err = c.ReadWithin(make([]byte, 1), 0) // so that it has arrived
			require.NoError(t, err)
			_, err = c.WriteWithin(answer, 0)
			require.NoError(t, err)
			closed := run(only(func() error { return test.close(c) }))
			if !test.whole {
				require.NoError(t, (<-closed).err)
			}
			got, err := io.ReadAll(peer)
			if !test.whole {
				require.Less(t, len(got), size)
				return
			}
			require.NoError(t, err)
			require.True(t, bytes.Equal(answer, got))
			require.NoError(t, peer.Close())
			require.NoError(t, (<-closed).err)
		})
	}
}

// Through TLS the peer's TCP sees FIN: both the layer and what is below are half-closed.
func TestHalfCloseThroughTLS(t *testing.T) {
	ownTCP, peerTCP := tcpPair(t)
	own, peer := tlsOver(t, ownTCP, peerTCP)
	c := NewConn(own, Rate{})
	require.True(t, c.CanHalfClose())
	done := closing(c)
	_, err := io.ReadAll(peer)
	require.NoError(t, err, "close_notify")
	n, err := peerTCP.Read(make([]byte, 1))
	require.Equal(t, io.EOF, err)
	require.Zero(t, n)
	_, err = peer.Write([]byte("still listened to"))
	require.NoError(t, err)
	require.NoError(t, peer.Close())
	require.NoError(t, (<-done).err)
}
