package serialtest_test

import (
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serialkit/serialkit/serialtest"
	"github.com/stretchr/testify/require"
)

func TestCutReadLeavesWritesAlone(t *testing.T) {
	fault := serialtest.CutRead(3)
	client, server := faultyPipe(fault)
	mustWrite(t, server, message)
	mustRead(t, client, "012")
	require.Equal(t, io.EOF, second(client.Read(make([]byte, 1))), "bare, as a reader compares it")
	readFails(t, client, io.EOF)
	require.Equal(t, 1, fault.Fired())
	mustWrite(t, client, "still heard")
	mustRead(t, server, "still heard")
	require.NoError(t, closeWrite(t, client))
	readFails(t, server, io.EOF)
	require.NoError(t, client.Close())
	readFails(t, client, net.ErrClosed)
	writeFails(t, client, net.ErrClosed)
}

func second(_ int, err error) error { return err }

func TestCutWriteEndsBothDirections(t *testing.T) {
	fault := serialtest.CutWrite(3)
	client, server := faultyPipe(fault)
	mustWrite(t, server, "unread input does not spoil the cut")
	n, err := client.Write([]byte(message))
	require.ErrorIs(t, err, syscall.EPIPE)
	require.Equal(t, 3, n)
	mustRead(t, server, "012")
	readFails(t, server, io.EOF)
	writeFails(t, client, syscall.EPIPE)
	readFails(t, client, io.EOF)
	require.ErrorIs(t, closeWrite(t, client), syscall.EPIPE)
	require.NoError(t, client.SetDeadline(time.Now().Add(time.Hour)))
	readFails(t, client, io.EOF)
	require.Equal(t, 1, fault.Fired())
	require.NoError(t, client.Close())
	readFails(t, client, net.ErrClosed)
	writeFails(t, client, net.ErrClosed)
	require.ErrorIs(t, client.Close(), net.ErrClosed)
}

func TestCutWriteWithoutHalfCloseCloses(t *testing.T) {
	inner, server := serialtest.Pipe(serialtest.NoHalfClose())
	client := serialtest.Faulty(inner, serialtest.CutWrite(3))
	n, err := client.Write([]byte(message))
	require.ErrorIs(t, err, syscall.EPIPE)
	require.Equal(t, 3, n)
	writeFails(t, server, syscall.EPIPE)
	mustRead(t, server, "012")
	readFails(t, server, io.EOF)
	require.NoError(t, client.Close(), "the first Close of the wrapper")
	require.ErrorIs(t, client.Close(), net.ErrClosed)
	require.ErrorIs(t, client.SetDeadline(time.Time{}), net.ErrClosed)
}

func TestResetReachesBothEnds(t *testing.T) {
	for _, nested := range []bool{false, true} {
		inner, server := serialtest.Pipe()
		if nested {
			inner = serialtest.Faulty(inner)
		}
		fault := serialtest.ResetRead(3)
		client := serialtest.Faulty(inner, fault)
		mustWrite(t, client, "unread by the peer")
		mustWrite(t, server, "012") // all read, or Close alone would reset
		mustRead(t, client, "012")
		readFails(t, client, syscall.ECONNRESET)
		readFails(t, client, syscall.ECONNRESET)
		writeFails(t, client, syscall.ECONNRESET)
		readFails(t, server, syscall.ECONNRESET)
		writeFails(t, server, syscall.EPIPE)
		require.Equal(t, 1, fault.Fired())
		require.ErrorIs(t, closeWrite(t, client), syscall.ECONNRESET)
		require.NoError(t, client.Close())
		readFails(t, client, net.ErrClosed)
	}
}

// A fault in one direction wakes what is blocked in the other, in a stall too.
func TestFaultsWakeTheOtherDirection(t *testing.T) {
	for name, test := range map[string]struct {
		fault *serialtest.Fault
		stall []*serialtest.Fault
		want  error
	}{
		"reset":         {serialtest.ResetWrite(0), nil, syscall.ECONNRESET},
		"cut":           {serialtest.CutWrite(0), nil, io.EOF},
		"reset a stall": {serialtest.ResetWrite(0), []*serialtest.Fault{serialtest.StallRead(0)}, syscall.ECONNRESET},
		"cut a stall":   {serialtest.CutWrite(0), []*serialtest.Fault{serialtest.StallRead(0)}, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, _ := faultyPipe(append(test.stall, test.fault)...)
				read, next := reading(client, 1), reading(client, 1)
				synctest.Wait()
				pending(t, read)
				_, err := client.Write([]byte("x"))
				require.Error(t, err)
				synctest.Wait()
				outcome(t, read, test.want)
				outcome(t, next, test.want)
				require.NoError(t, client.Close())
			})
		})
	}
}

func TestResetWakesABlockedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, _ := serialtest.Pipe(serialtest.Buffer(2))
		client := serialtest.Faulty(inner, serialtest.ResetRead(0))
		write := writing(client, message)
		synctest.Wait()
		readFails(t, client, syscall.ECONNRESET)
		r := <-write
		require.ErrorIs(t, r.err, syscall.ECONNRESET)
		require.Equal(t, 2, r.n)
	})
}

// A deadline set right after a fault does not send back to sleep whom the fault
// has woken.
func TestDeadlineAfterAFaultRevivesNothing(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			client, _ := faultyPipe(serialtest.CutWrite(0))
			read := reading(client, 1)
			synctest.Wait()
			writeFails(t, client, syscall.EPIPE)
			require.NoError(t, client.SetDeadline(time.Time{}))
			synctest.Wait()
			outcome(t, read, io.EOF)
			require.NoError(t, client.Close())
		})
	}
}

func TestDeadlinesWorkAfterACutRead(t *testing.T) {
	client, _ := faultyPipe(serialtest.CutRead(0))
	readFails(t, client, io.EOF)
	require.NoError(t, client.SetWriteDeadline(time.Now()))
	writeFails(t, client, os.ErrDeadlineExceeded)
}

// Two Reads that wait at the same time do not read past a fault together.
func TestConcurrentReadsStopAtTheFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := faultyPipe(serialtest.CutRead(3))
		one, two := reading(client, 3), reading(client, 3)
		synctest.Wait()
		mustWrite(t, server, message)
		a, b := <-one, <-two
		if a.err != nil {
			a, b = b, a
		}
		require.Equal(t, "012", a.data)
		require.Equal(t, io.EOF, b.err)
	})
}

func TestFaultyWithoutFaultsIsTransparent(t *testing.T) {
	inner, server := serialtest.Pipe()
	client := serialtest.Faulty(inner)
	require.Equal(t, inner.LocalAddr(), client.LocalAddr())
	require.Equal(t, inner.RemoteAddr(), client.RemoteAddr())
	big := strings.Repeat(message, 1000)
	mustWrite(t, client, big)
	require.NoError(t, closeWrite(t, client))
	got, err := io.ReadAll(server)
	require.NoError(t, err)
	require.Equal(t, big, string(got))
	mustWrite(t, server, "x")
	require.NoError(t, client.SetReadDeadline(time.Now()))
	readFails(t, client, os.ErrDeadlineExceeded)
	require.NoError(t, client.SetReadDeadline(time.Time{}))
	mustRead(t, client, "x")
	require.NoError(t, client.Close())
	require.ErrorIs(t, client.SetDeadline(time.Time{}), net.ErrClosed)
	readFails(t, server, io.EOF)
}

func TestFaultyHalfClosesOnlyWhatCan(t *testing.T) {
	inner, _ := serialtest.Pipe(serialtest.NoHalfClose())
	conn := serialtest.Faulty(inner)
	require.NotImplements(t, (*interface{ CloseWrite() error })(nil), conn)
	require.NotImplements(t, (*interface{ CloseWrite() error })(nil), serialtest.Faulty(conn))
	old, _ := net.Pipe()
	require.NotImplements(t, (*interface{ CloseWrite() error })(nil), serialtest.Faulty(old))
}
