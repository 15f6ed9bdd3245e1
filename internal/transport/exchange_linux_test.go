package transport

import (
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

// exchangePair returns an Exchange over a socket, with its halves, and the other end.
func exchangePair(t *testing.T, network string) (*Exchange, *Input, *Output, net.Conn) {
	own, peer := sockets[network](t)
	c := NewConn(own, Rate{})
	in, out := NewInput(c), NewOutput(c)
	in.Deadline = func() time.Time { return time.Time{} }
	x := NewExchange(in, out)
	require.NotNil(t, x)
	return x, in, out, peer
}

// eachSocket runs f for each kind of socket that has an Exchange.
func eachSocket(t *testing.T, f func(t *testing.T, network string)) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) { f(t, network) })
	}
}

// exchange writes s, and returns what Do does.
func exchange(t *testing.T, x *Exchange, s string, d time.Duration) (unasked bool) {
	t.Helper()
	_, err := x.out.Write([]byte(s))
	require.NoError(t, err)
	return x.Do(time.Now(), d)
}

// respond reads a request of n bytes and writes the response.
func respond(peer net.Conn, n int, response string) <-chan string {
	got := make(chan string, 1)
	go func() {
		b := make([]byte, n)
		io.ReadFull(peer, b)
		io.WriteString(peer, response)
		got <- string(b)
	}()
	return got
}

// A request goes out, and what comes is buffered, again and again.
func TestExchange(t *testing.T) {
	eachSocket(t, func(t *testing.T, network string) {
		x, in, out, peer := exchangePair(t, network)
		for i := range 100 {
			got := respond(peer, 7, "response")
			require.False(t, exchange(t, x, "request", 0))
			require.Equal(t, "request", <-got)
			requireCounts(t, out, 7*(i+1), 0, BufferSize)
			require.NoError(t, in.Wait(time.Now())) // by now, or in a second
			mustTake(t, in, "response")
			in.Release()
			out.Release()
		}
	})
}

// Whatever there is before is found, and nothing is written.
func TestExchangeFindsWhatNobodyAskedFor(t *testing.T) {
	eachSocket(t, func(t *testing.T, network string) {
		for name, test := range map[string]struct {
			before func(t *testing.T, peer net.Conn)
			take   string
			err    error
		}{
			"bytes":      {func(t *testing.T, peer net.Conn) { mustWrite(t, peer, "\x02") }, "\x02", nil},
			"half-close": {func(t *testing.T, peer net.Conn) { require.NoError(t, closeWrite(peer)) }, "", io.EOF},
			"close":      {func(t *testing.T, peer net.Conn) { require.NoError(t, peer.Close()) }, "", io.EOF},
			"both": {func(t *testing.T, peer net.Conn) {
				mustWrite(t, peer, "\x02")
				require.NoError(t, peer.Close())
			}, "\x02", io.EOF},
		} {
			t.Run(name, func(t *testing.T) {
				x, in, out, peer := exchangePair(t, network)
				test.before(t, peer)
				await(t, x.in.conn.conn, syscall.EPOLLIN)
				require.True(t, exchange(t, x, "request", 0))
				require.Zero(t, out.Offered())
				require.Equal(t, 7, out.Buffered())
				mustTake(t, in, test.take)
				if test.err != nil {
					_, err := in.Peek(1)
					require.Equal(t, test.err, err)
				}
			})
		}
	})
	t.Run("reset", func(t *testing.T) {
		x, in, out, peer := exchangePair(t, "tcp")
		reset(t, peer)
		await(t, x.in.conn.conn, syscall.EPOLLERR)
		require.True(t, exchange(t, x, "request", 0))
		require.Zero(t, out.Offered())
		for range 2 { // a socket tells of a reset once
			_, err := in.Peek(1)
			require.ErrorIs(t, err, syscall.ECONNRESET)
		}
	})
}

// It waits for a moment only. What comes later is for a usual Wait.
func TestExchangeWithoutAnAnswer(t *testing.T) {
	eachSocket(t, func(t *testing.T, network string) {
		x, in, out, peer := exchangePair(t, network)
		for range 3 { // the deadline of the one before has fired
			require.False(t, exchange(t, x, "request", time.Millisecond))
			require.Zero(t, in.Buffered())
			require.NoError(t, out.Flush(), "where the time was over before it could begin")
			require.Equal(t, "request", <-respond(peer, 7, "later"))
			require.NoError(t, in.Wait(time.Now()))
			mustTake(t, in, "later")
		}
		require.False(t, exchange(t, x, "request", 1), "which was over before it could begin")
		require.NoError(t, out.Flush())
		require.Equal(t, "request", <-respond(peer, 7, ""))
	})
}

// Where the socket does not take all at once, the rest stays, and is for a usual Flush.
func TestExchangeWithAFullSocket(t *testing.T) {
	eachSocket(t, func(t *testing.T, network string) {
		x, _, out, peer := exchangePair(t, network)
		for _, end := range []net.Conn{x.in.conn.conn, peer} { // or the kernel gives them more, some time later
			sized := end.(interface {
				SetReadBuffer(int) error
				SetWriteBuffer(int) error
			})
			require.NoError(t, sized.SetReadBuffer(32<<10))
			require.NoError(t, sized.SetWriteBuffer(32<<10))
		}
		size := fill(t, x.in.conn.conn)
		request := string(pattern(BufferSize))
		require.False(t, exchange(t, x, request, 0))
		taken := int(out.Sent())
		require.Less(t, taken, BufferSize)
		require.Equal(t, BufferSize-taken, out.Buffered())
		require.Equal(t, out.Sent(), out.Offered())
		got := make(chan string, 1)
		go func() {
			io.CopyN(io.Discard, peer, int64(size))
			b := make([]byte, BufferSize)
			io.ReadFull(peer, b)
			got <- string(b)
		}()
		require.NoError(t, out.Flush())
		require.Equal(t, request, <-got)
	})
}

// An interrupted Exchange writes nothing when it was interrupted before; the usual calls say so.
func TestExchangeInterrupted(t *testing.T) {
	eachSocket(t, func(t *testing.T, network string) {
		x, in, out, peer := exchangePair(t, network)
		in.conn.InterruptWrite()
		in.conn.InterruptRead()
		require.False(t, exchange(t, x, "request", 0))
		require.Zero(t, out.Offered())
		require.Equal(t, ErrInterrupted, out.Flush())
		require.Equal(t, ErrInterrupted, in.Wait(time.Now()))

		in.conn.ResumeRead()
		in.conn.ResumeWrite()
		out.Reset()
		read := respond(peer, 7, "")
		go func() {
			<-read // it has been written
			in.conn.InterruptWrite()
			in.conn.InterruptRead()
		}()
		require.False(t, exchange(t, x, "request", 0))
		require.EqualValues(t, 7, out.Sent())
		require.Equal(t, ErrInterrupted, in.Wait(time.Now()))
		in.conn.ResumeRead()
		mustWrite(t, peer, "response")
		require.NoError(t, in.Wait(time.Now()))
		mustTake(t, in, "response")
	})
}

// Closing ends it.
func TestExchangeClosed(t *testing.T) {
	eachSocket(t, func(t *testing.T, network string) {
		x, in, _, peer := exchangePair(t, network)
		read := respond(peer, 7, "")
		go func() {
			<-read
			in.conn.Close()
		}()
		require.False(t, exchange(t, x, "request", 0))
		require.ErrorIs(t, in.Wait(time.Now()), net.ErrClosed)
		require.False(t, exchange(t, x, "another", 0))
		require.ErrorIs(t, x.out.Flush(), net.ErrClosed)
	})
}

// What wraps a socket has reads and writes of its own.
func TestNoExchange(t *testing.T) {
	own, _ := tcpPair(t)
	wrapped := struct{ *net.TCPConn }{own.(*net.TCPConn)}
	memory, other := serialtest.Pipe()
	defer memory.Close()
	defer other.Close()
	secure, _ := tlsPair(t)
	closed, _ := tcpPair(t)
	closed.Close()
	for _, conn := range []net.Conn{wrapped, memory, secure} {
		c := NewConn(conn, Rate{})
		require.Nil(t, NewExchange(NewInput(c), NewOutput(c)), "%T", conn)
	}
	c := NewConn(closed, Rate{})
	x := NewExchange(NewInput(c), NewOutput(c))
	require.False(t, exchange(t, x, "request", 0))
	require.ErrorIs(t, x.out.Flush(), net.ErrClosed)
}
