package serialtest_test

import (
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serialkit/serialkit/serialtest"
	"github.com/stretchr/testify/require"
)

func TestCloseLetsThePeerReadWhatWaits(t *testing.T) {
	client, server := serialtest.Pipe()
	mustWrite(t, client, "last words")
	require.NoError(t, client.Close())
	writeFails(t, server, syscall.EPIPE)
	mustRead(t, server, "last words")
	readFails(t, server, io.EOF)
	readFails(t, server, io.EOF)
}

func TestOwnCallsFailAfterClose(t *testing.T) {
	client, server := serialtest.Pipe()
	mustWrite(t, server, "unread")
	require.NoError(t, client.SetDeadline(time.Now()))
	require.NoError(t, client.Close())
	readFails(t, client, net.ErrClosed)
	writeFails(t, client, net.ErrClosed)
	require.ErrorIs(t, client.SetDeadline(time.Time{}), net.ErrClosed)
	require.ErrorIs(t, client.SetReadDeadline(time.Time{}), net.ErrClosed)
	require.ErrorIs(t, client.SetWriteDeadline(time.Time{}), net.ErrClosed)
	require.ErrorIs(t, closeWrite(t, client), net.ErrClosed)
	require.ErrorIs(t, client.Close(), net.ErrClosed)
	require.NoError(t, server.Close())
	readFails(t, server, net.ErrClosed)
	writeFails(t, server, net.ErrClosed)
	readFails(t, client, net.ErrClosed)
	writeFails(t, client, net.ErrClosed)
}

// TCP answers a close with unread input by a reset; the response is lost.
func TestCloseWithUnreadInputResetsThePeer(t *testing.T) {
	client, server := serialtest.Pipe()
	mustWrite(t, client, "request")
	mustWrite(t, server, "response")
	require.NoError(t, server.Close())
	readFails(t, client, syscall.ECONNRESET)
	writeFails(t, client, syscall.EPIPE)
	require.ErrorIs(t, closeWrite(t, client), syscall.ENOTCONN)
	readFails(t, client, syscall.ECONNRESET)
	require.NoError(t, client.Close())
}

// A half close does not protect the response from a later reset either.
func TestResetAfterHalfClose(t *testing.T) {
	client, server := serialtest.Pipe()
	mustWrite(t, client, "request")
	mustWrite(t, server, "response")
	require.NoError(t, closeWrite(t, server))
	require.NoError(t, server.Close())
	readFails(t, client, syscall.ECONNRESET)
}

func TestCloseIsCleanOnceAllInputIsRead(t *testing.T) {
	client, server := serialtest.Pipe()
	mustWrite(t, client, "request")
	mustWrite(t, server, "response")
	mustRead(t, server, "request")
	require.NoError(t, server.Close())
	mustRead(t, client, "response")
	readFails(t, client, io.EOF)
}

func TestResetOnUnreadOff(t *testing.T) {
	client, server := serialtest.Pipe(serialtest.ResetOnUnread(false))
	mustWrite(t, client, "request")
	mustWrite(t, server, "response")
	require.NoError(t, server.Close())
	mustRead(t, client, "response")
	readFails(t, client, io.EOF)
	writeFails(t, client, syscall.EPIPE)
}

func TestSetLinger(t *testing.T) {
	type lingerer interface{ SetLinger(sec int) error }
	client, server := serialtest.Pipe()
	mustWrite(t, server, "response")
	require.NoError(t, server.(lingerer).SetLinger(0))
	require.NoError(t, server.Close())
	readFails(t, client, syscall.ECONNRESET)
	require.ErrorIs(t, server.(lingerer).SetLinger(0), net.ErrClosed)

	client, server = serialtest.Pipe()
	mustWrite(t, server, "response")
	require.NoError(t, server.(lingerer).SetLinger(0))
	require.NoError(t, server.(lingerer).SetLinger(-1))
	require.NoError(t, server.Close())
	mustRead(t, client, "response")
	readFails(t, client, io.EOF)
}

func TestCloseWriteEndsOneDirection(t *testing.T) {
	client, server := serialtest.Pipe()
	mustWrite(t, client, "request")
	require.NoError(t, closeWrite(t, client))
	require.NoError(t, closeWrite(t, client), "twice is allowed")
	writeFails(t, client, syscall.EPIPE)
	mustRead(t, server, "request")
	readFails(t, server, io.EOF)
	mustWrite(t, server, "response")
	mustRead(t, client, "response")
	require.NoError(t, closeWrite(t, server))
	readFails(t, client, io.EOF)
}

func TestNoHalfClose(t *testing.T) {
	for _, conn := range both(serialtest.Pipe(serialtest.NoHalfClose())) {
		require.NotImplements(t, (*interface{ CloseWrite() error })(nil), conn)
	}
}

func both(client, server net.Conn) []net.Conn { return []net.Conn{client, server} }

// Whatever ends a connection wakes those that are blocked on it.
func TestBlockedCallsAreWoken(t *testing.T) {
	closes := func(c net.Conn) { _ = c.Close() }
	resets := func(c net.Conn) {
		_ = c.(interface{ SetLinger(sec int) error }).SetLinger(0)
		_ = c.Close()
	}
	halfCloses := func(c net.Conn) { _ = c.(interface{ CloseWrite() error }).CloseWrite() }
	expires := func(c net.Conn) { _ = c.SetDeadline(time.Now()) }
	for name, test := range map[string]struct {
		peer  bool // end is called on the other end
		end   func(net.Conn)
		read  error
		write error // nil: stays blocked
	}{
		"own close":      {false, closes, net.ErrClosed, net.ErrClosed},
		"own deadline":   {false, expires, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded},
		"peer's close":   {true, closes, io.EOF, syscall.EPIPE},
		"peer's reset":   {true, resets, syscall.ECONNRESET, syscall.EPIPE},
		"half close":     {true, halfCloses, io.EOF, nil},
		"own half close": {false, halfCloses, nil, syscall.EPIPE},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := serialtest.Pipe(serialtest.Buffer(1), serialtest.ResetOnUnread(false))
				read, write, next := reading(client, 1), writing(client, "abc"), writing(client, "def")
				synctest.Wait()
				end := client
				if test.peer {
					end = server
				}
				test.end(end)
				synctest.Wait()
				outcome(t, read, test.read)
				outcome(t, write, test.write)
				outcome(t, next, test.write)
				_ = client.Close()
				_ = server.Close()
			})
		})
	}
}

// outcome requires the error of an operation that must have ended, nil meaning
// that it has not.
func outcome(t *testing.T, done <-chan result, want error) {
	t.Helper()
	if want == nil {
		pending(t, done)
		return
	}
	select {
	case r := <-done:
		require.ErrorIs(t, r.err, want)
	default:
		require.Fail(t, "still blocked")
	}
}

// A failed Write says how much of it will be read.
func TestClosedWriteReportsAcceptedBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := serialtest.Pipe(serialtest.Buffer(2))
		write := writing(client, "abcdef")
		synctest.Wait()
		require.Equal(t, "abc", (<-reading(server, 3)).data)
		require.NoError(t, client.Close())
		mustRead(t, server, "de")
		readFails(t, server, io.EOF)
		r := <-write
		require.ErrorIs(t, r.err, net.ErrClosed)
		require.Equal(t, 5, r.n)
	})
}
