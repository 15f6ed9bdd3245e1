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

const message = "0123456789"

// faultyPipe returns a Pipe whose client end has the faults.
func faultyPipe(faults ...*serialtest.Fault) (client, server net.Conn) {
	client, server = serialtest.Pipe()
	return serialtest.Faulty(client, faults...), server
}

func TestFaultNames(t *testing.T) {
	for want, fault := range map[string]*serialtest.Fault{
		"cut read at 1":    serialtest.CutRead(1),
		"cut write at 2":   serialtest.CutWrite(2),
		"reset read at 3":  serialtest.ResetRead(3),
		"reset write at 4": serialtest.ResetWrite(4),
		"stall read at 5":  serialtest.StallRead(5),
		"stall write at 6": serialtest.StallWrite(6),
		"short write at 7": serialtest.ShortWrite(7),
		"chunk read of 8":  serialtest.ChunkReads(8),
		"chunk write of 9": serialtest.ChunkWrites(9),
	} {
		require.Equal(t, want, fault.String())
		require.Zero(t, fault.Fired())
	}
}

func TestFaultsRejectNonsense(t *testing.T) {
	for _, make := range []func(int) *serialtest.Fault{
		serialtest.CutRead, serialtest.CutWrite, serialtest.ResetRead, serialtest.ResetWrite,
		serialtest.StallRead, serialtest.StallWrite, serialtest.ShortWrite,
	} {
		require.Panics(t, func() { make(-1) })
		require.NotPanics(t, func() { make(0) })
	}
	for _, make := range []func(int) *serialtest.Fault{serialtest.ChunkReads, serialtest.ChunkWrites} {
		require.Panics(t, func() { make(0) })
		require.NotPanics(t, func() { make(1) })
	}
}

// A fault at the end of the stream does not fire, one at every byte before does.
func TestFaultsFireAtTheirByteOnly(t *testing.T) {
	reads := func(c, peer net.Conn) (int, error) {
		_, _ = io.WriteString(peer, message)
		return io.ReadFull(c, make([]byte, len(message)))
	}
	writes := func(c, _ net.Conn) (int, error) { return c.Write([]byte(message)) }
	for _, test := range []struct {
		make func(int) *serialtest.Fault
		run  func(c, peer net.Conn) (int, error)
		err  error
	}{
		{serialtest.CutRead, reads, io.EOF},
		{serialtest.CutWrite, writes, syscall.EPIPE},
		{serialtest.ResetRead, reads, syscall.ECONNRESET},
		{serialtest.ResetWrite, writes, syscall.ECONNRESET},
		{serialtest.ShortWrite, writes, io.ErrShortWrite},
		{serialtest.StallRead, reads, os.ErrDeadlineExceeded},
		{serialtest.StallWrite, writes, os.ErrDeadlineExceeded},
	} {
		for n := range len(message) + 2 {
			fault := test.make(n)
			t.Run(fault.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, server := faultyPipe(fault)
					require.NoError(t, client.SetDeadline(time.Now().Add(limit)))
					got, err := test.run(client, server)
					require.Equal(t, min(n, len(message)), got)
					if n >= len(message) {
						require.NoError(t, err)
						require.Zero(t, fault.Fired())
					} else {
						want := test.err
						if want == io.EOF && n > 0 {
							want = io.ErrUnexpectedEOF // io.ReadFull's word for it
						}
						require.ErrorIs(t, err, want)
						require.Equal(t, 1, fault.Fired())
					}
					require.NoError(t, client.Close())
				})
			})
		}
	}
}

func TestEmptyCallsFireNothing(t *testing.T) {
	read, write := serialtest.CutRead(0), serialtest.CutWrite(0)
	client, _ := faultyPipe(read, write)
	_, err := client.Read(nil)
	require.NoError(t, err)
	_, err = client.Write(nil)
	require.NoError(t, err)
	require.Zero(t, read.Fired()+write.Fired())
}

func TestShortWriteHappensOnce(t *testing.T) {
	fault := serialtest.ShortWrite(3)
	client, server := faultyPipe(fault)
	n, err := client.Write([]byte(message))
	require.Equal(t, io.ErrShortWrite, err)
	require.Equal(t, 3, n)
	mustWrite(t, client, message[n:])
	mustRead(t, server, message)
	require.Equal(t, 1, fault.Fired())
}

func TestChunkReads(t *testing.T) {
	fault := serialtest.ChunkReads(4)
	client, server := faultyPipe(fault)
	mustWrite(t, server, message)
	for _, want := range []string{"0123", "4567", "89"} {
		mustRead(t, client, want)
	}
	require.Equal(t, 2, fault.Fired())
	mustWrite(t, server, "abcd")
	require.Equal(t, "abcd", (<-reading(client, 4)).data)
	require.Equal(t, 2, fault.Fired(), "the Read had no room for more")
}

func TestChunkWritesArriveInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, server := serialtest.Pipe(serialtest.Buffer(0))
		fault := serialtest.ChunkWrites(4)
		client := serialtest.Faulty(inner, fault)
		all := writing(client, message)
		for _, want := range []string{"0123", "4567", "89"} {
			synctest.Wait()
			pending(t, all)
			mustRead(t, server, want)
		}
		require.Equal(t, result{n: len(message)}, <-all)
		require.Equal(t, 2, fault.Fired())
	})
}

// The smallest chunk wins, and only what happened counts.
func TestFaultsTogether(t *testing.T) {
	small, large, cut, never := serialtest.ChunkReads(2), serialtest.ChunkReads(3),
		serialtest.CutRead(5), serialtest.ResetRead(6)
	client, server := faultyPipe(large, small, never, cut)
	mustWrite(t, server, message)
	for _, want := range []string{"01", "23", "4"} {
		mustRead(t, client, want)
	}
	readFails(t, client, io.EOF)
	require.Equal(t, 2, small.Fired())
	require.Zero(t, large.Fired())
	require.Equal(t, 1, cut.Fired())
	require.Zero(t, never.Fired())
}

func TestFaultServesManyConnections(t *testing.T) {
	fault := serialtest.CutWrite(2)
	for range 3 {
		client, _ := faultyPipe(fault)
		n, err := client.Write([]byte(message))
		require.ErrorIs(t, err, syscall.EPIPE)
		require.Equal(t, 2, n)
	}
	require.Equal(t, 3, fault.Fired())
}
