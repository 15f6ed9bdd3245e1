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

func TestStalledReadEndsAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fault := serialtest.StallRead(3)
		client, server := faultyPipe(fault)
		mustWrite(t, server, message)
		mustRead(t, client, "012")
		require.NoError(t, client.SetReadDeadline(time.Now().Add(limit)))
		r := <-reading(client, 1)
		timedOut(t, r.err)
		require.Equal(t, limit, r.after)

		require.NoError(t, client.SetReadDeadline(time.Now().Add(limit)))
		again := reading(client, 1)
		require.NoError(t, server.Close())
		require.Equal(t, limit, (<-again).after, "the end does not get through either")
		require.Equal(t, 1, fault.Fired(), "once per connection")
	})
}

func TestStalledWriteEndsAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fault := serialtest.StallWrite(3)
		client, server := faultyPipe(fault)
		require.NoError(t, client.SetWriteDeadline(time.Now().Add(limit)))
		r := <-writing(client, message)
		timedOut(t, r.err)
		require.Equal(t, result{n: 3, err: r.err, after: limit}, r)
		mustRead(t, server, "012")
		mustWrite(t, server, "the other way works")
		mustRead(t, client, "the other way works")
		require.Equal(t, 1, fault.Fired())
	})
}

// A deadline set during the stall applies to it.
func TestStallDeadlineMovedWhileBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := faultyPipe(serialtest.StallRead(0), serialtest.StallWrite(0))
		require.NoError(t, client.SetDeadline(time.Now().Add(time.Hour)))
		ops := []<-chan result{reading(client, 1), writing(client, "x")}
		deadline := time.Now().Add(limit)
		time.AfterFunc(time.Second, func() { _ = client.SetDeadline(deadline) })
		for _, op := range ops {
			r := <-op
			timedOut(t, r.err)
			require.Equal(t, limit, r.after)
		}
	})
}

func TestCloseEndsStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := faultyPipe(serialtest.StallRead(0), serialtest.StallWrite(0))
		read, write := reading(client, 1), writing(client, "x")
		synctest.Wait()
		pending(t, read)
		pending(t, write)
		require.NoError(t, client.Close())
		require.ErrorIs(t, (<-read).err, net.ErrClosed)
		require.ErrorIs(t, (<-write).err, net.ErrClosed)
		require.ErrorIs(t, client.Close(), net.ErrClosed)
	})
}

func TestCloseWriteEndsAStalledWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := faultyPipe(serialtest.StallWrite(2))
		write := writing(client, message)
		synctest.Wait()
		require.NoError(t, closeWrite(t, client))
		r := <-write
		require.ErrorIs(t, r.err, syscall.EPIPE)
		require.Equal(t, 2, r.n)
	})
}

// A passed deadline and a closed end come before any fault.
func TestDeadlineComesBeforeAFault(t *testing.T) {
	read, write := serialtest.CutRead(0), serialtest.CutWrite(0)
	client, _ := faultyPipe(read, write)
	require.NoError(t, client.SetDeadline(time.Now()))
	readFails(t, client, os.ErrDeadlineExceeded)
	writeFails(t, client, os.ErrDeadlineExceeded)
	require.NoError(t, client.SetDeadline(time.Time{}))
	require.NoError(t, client.Close())
	readFails(t, client, net.ErrClosed)
	writeFails(t, client, net.ErrClosed)
	require.Zero(t, read.Fired()+write.Fired())
}

func TestDeadlinesComeBeforeFaultsOfTheirDirection(t *testing.T) {
	read, write := serialtest.CutRead(0), serialtest.ShortWrite(0)
	client, _ := faultyPipe(read, write)
	require.NoError(t, client.SetWriteDeadline(time.Now()))
	writeFails(t, client, os.ErrDeadlineExceeded)
	readFails(t, client, io.EOF)
	require.Equal(t, []int{1, 0}, []int{read.Fired(), write.Fired()})

	client, _ = faultyPipe(read, write)
	require.NoError(t, client.SetReadDeadline(time.Now()))
	readFails(t, client, os.ErrDeadlineExceeded)
	writeFails(t, client, io.ErrShortWrite)
	require.Equal(t, []int{1, 1}, []int{read.Fired(), write.Fired()})
}
