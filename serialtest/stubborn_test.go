package serialtest_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serialkit/serialkit/serialtest"
	"github.com/stretchr/testify/require"
)

// stubborn is a connection that neither Close nor a deadline ends. Layers that
// buffer are like that for a while.
type stubborn struct {
	net.Conn
	accept chan struct{} // if not nil, Write waits for it
}

var errNoDeadlines = errors.New("no deadlines")

func (stubborn) Read(p []byte) (int, error)       { return len(p), nil }
func (stubborn) LocalAddr() net.Addr              { return nil }
func (stubborn) Close() error                     { return nil }
func (stubborn) SetDeadline(time.Time) error      { return errNoDeadlines }
func (stubborn) SetReadDeadline(time.Time) error  { return errNoDeadlines }
func (stubborn) SetWriteDeadline(time.Time) error { return errNoDeadlines }
func (s stubborn) Write(p []byte) (int, error) {
	if s.accept != nil {
		<-s.accept
	}
	return len(p), nil
}

// What a fault has ended stays ended, whatever the connection would still do.
func TestFaultsEndAStubbornConnection(t *testing.T) {
	inner, _ := net.Pipe()
	conn := serialtest.Faulty(stubborn{Conn: inner}, serialtest.ResetRead(0))
	readFails(t, conn, syscall.ECONNRESET)
	writeFails(t, conn, syscall.ECONNRESET)

	conn = serialtest.Faulty(stubborn{Conn: inner}, serialtest.ResetWrite(0))
	writeFails(t, conn, syscall.ECONNRESET)
	readFails(t, conn, syscall.ECONNRESET)
}

func TestFaultySaysWhenDeadlinesCannotBeSet(t *testing.T) {
	inner, _ := net.Pipe()
	conn := serialtest.Faulty(stubborn{Conn: inner})
	require.ErrorIs(t, conn.SetDeadline(time.Now()), errNoDeadlines)
	require.ErrorIs(t, conn.SetReadDeadline(time.Now()), errNoDeadlines)
	require.ErrorIs(t, conn.SetWriteDeadline(time.Now()), errNoDeadlines)
}

// A reset between the pieces of a Write ends it.
func TestResetBetweenPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, _ := net.Pipe()
		accept := make(chan struct{})
		conn := serialtest.Faulty(stubborn{inner, accept}, serialtest.ResetRead(0), serialtest.ChunkWrites(1))
		write := writing(conn, "ab")
		synctest.Wait()
		readFails(t, conn, syscall.ECONNRESET)
		close(accept)
		r := <-write
		require.ErrorIs(t, r.err, syscall.ECONNRESET)
		require.Equal(t, 1, r.n)
	})
}

// Whichever comes first, a Read that stalls while a Write resets reports the
// reset, and never the deadline that wakes it.
func TestResetRacesWithAStall(t *testing.T) {
	for range 5000 {
		client, _ := faultyPipe(serialtest.StallRead(0), serialtest.ResetWrite(0))
		read := reading(client, 1)
		writeFails(t, client, syscall.ECONNRESET)
		require.ErrorIs(t, (<-read).err, syscall.ECONNRESET)
	}
}
