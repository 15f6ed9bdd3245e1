package serialtest_test

import (
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serialkit/serialkit/serialtest"
	"github.com/stretchr/testify/require"
)

func TestPipeCarriesBytesBothWays(t *testing.T) {
	client, server := serialtest.Pipe()
	mustWrite(t, client, "to the server")
	mustWrite(t, server, "to the client")
	mustRead(t, server, "to the server")
	mustRead(t, client, "to the client")
}

func TestPipeAddresses(t *testing.T) {
	client, server := serialtest.Pipe()
	require.Equal(t, "client", client.LocalAddr().String())
	require.Equal(t, "server", client.RemoteAddr().String())
	require.Equal(t, "server", server.LocalAddr().String())
	require.Equal(t, "client", server.RemoteAddr().String())
	require.Equal(t, "pipe", client.LocalAddr().Network())

	far := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4000}
	client, server = serialtest.Pipe(serialtest.Addrs(far, serialtest.Addr("here")))
	require.Same(t, far, client.LocalAddr())
	require.Same(t, far, server.RemoteAddr())
	require.Equal(t, serialtest.Addr("here"), server.LocalAddr())
}

func TestPipeOptionsRejectNonsense(t *testing.T) {
	require.PanicsWithValue(t, "serialtest: negative buffer size -1", func() { serialtest.Buffer(-1) })
	require.Panics(t, func() { serialtest.Addrs(nil, serialtest.Addr("server")) })
	require.Panics(t, func() { serialtest.Addrs(serialtest.Addr("client"), nil) })
}

// A Write of as much as the buffer holds returns without a reader, one byte
// more waits for a Read.
func TestPipeBufferIsBounded(t *testing.T) {
	for _, size := range []int{0, 1, 2, 4096, serialtest.DefaultBuffer} {
		synctest.Test(t, func(t *testing.T) {
			client, server := serialtest.Pipe(serialtest.Buffer(size))
			mustWrite(t, client, strings.Repeat("x", size))
			more := writing(client, "y")
			synctest.Wait()
			pending(t, more)
			n, err := io.ReadFull(server, make([]byte, size+1))
			require.NoError(t, err)
			require.Equal(t, size+1, n)
			require.Equal(t, result{n: 1}, <-more)
		})
	}
}

func TestPipeBufferIsBoundedByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := serialtest.Pipe()
		big := writing(client, strings.Repeat("x", serialtest.DefaultBuffer+1))
		synctest.Wait()
		pending(t, big)
		mustRead(t, server, strings.Repeat("x", 100))
		require.NoError(t, (<-big).err)
	})
}

func TestUnbufferedWriteWaitsUntilAllIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := serialtest.Pipe(serialtest.Buffer(0))
		all := writing(client, "abc")
		for _, want := range []string{"a", "b", "c"} {
			synctest.Wait()
			pending(t, all)
			require.Equal(t, want, (<-reading(server, 1)).data)
		}
		require.Equal(t, result{n: 3}, <-all)
	})
}

// One Read takes the queue and what a blocked Write still holds.
func TestReadTakesWhatABlockedWriteHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := serialtest.Pipe(serialtest.Buffer(2))
		all := writing(client, "abcdefg")
		synctest.Wait()
		require.Equal(t, "abc", (<-reading(server, 3)).data)
		synctest.Wait()
		pending(t, all)
		mustRead(t, server, "defg")
		require.Equal(t, result{n: 7}, <-all)
	})
}

// The bytes stay in order whatever the sizes of the Reads and Writes are.
func TestPipeKeepsOrder(t *testing.T) {
	for _, size := range []int{0, 1, 7, 64, 1000} {
		client, server := serialtest.Pipe(serialtest.Buffer(size))
		rnd := rand.New(rand.NewPCG(1, uint64(size)))
		sent := make([]byte, 20_000)
		for i := range sent {
			sent[i] = byte(rnd.Int())
		}
		lengths := rand.New(rand.NewPCG(2, uint64(size)))
		go func() {
			defer client.Close()
			for rest := sent; len(rest) > 0; {
				n := min(lengths.IntN(130), len(rest))
				if _, err := client.Write(rest[:n]); err != nil {
					return
				}
				rest = rest[n:]
			}
		}()
		var got []byte
		buf := make([]byte, 130)
		for {
			n, err := server.Read(buf[:rnd.IntN(len(buf))])
			got = append(got, buf[:n]...)
			if err != nil {
				require.Equal(t, io.EOF, err)
				break
			}
		}
		require.Equal(t, sent, got)
	}
}

// The Write that waits for its turn gets it, also when it happens to look
// before the first has left: setting a deadline shuffles the order.
func TestConcurrentWritesDoNotInterleave(t *testing.T) {
	for shuffles := range 4 {
		synctest.Test(t, func(t *testing.T) {
			client, server := serialtest.Pipe(serialtest.Buffer(1))
			first := writing(client, "aaaa")
			synctest.Wait()
			second := writing(client, "bbbb")
			synctest.Wait()
			for range shuffles {
				require.NoError(t, client.SetWriteDeadline(time.Time{}))
				synctest.Wait()
			}
			pending(t, first)
			for _, want := range "aaaabbbb" {
				require.Equal(t, string(want), (<-reading(server, 1)).data)
				synctest.Wait()
			}
			require.Equal(t, result{n: 4}, <-first)
			require.Equal(t, result{n: 4}, <-second)
		})
	}
}

func TestEmptyReadAndWrite(t *testing.T) {
	for _, size := range []int{0, 1} {
		client, server := serialtest.Pipe(serialtest.Buffer(size))
		n, err := client.Write(nil)
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = server.Read(nil)
		require.NoError(t, err)
		require.Zero(t, n)

		require.NoError(t, client.Close())
		_, err = client.Read(nil)
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = client.Write(nil)
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = server.Read(nil)
		require.NoError(t, err, "an empty Read does not ask for the end")
	}
}

// What a socket wraps, a Pipe wraps.
func TestPipeErrorsNameBothEnds(t *testing.T) {
	client, server := serialtest.Pipe()
	require.NoError(t, client.Close())
	_, err := server.Write([]byte("x"))
	var op *net.OpError
	require.ErrorAs(t, err, &op)
	require.Equal(t, "write", op.Op)
	require.EqualError(t, err, "write pipe server->client: write: broken pipe")
	_, err = client.Read(make([]byte, 1))
	require.EqualError(t, err, "read pipe client->server: use of closed network connection")
}

// An empty Write waits for nothing, also behind one that is blocked.
func TestEmptyWriteBehindABlockedOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, other := serialtest.Pipe(serialtest.Buffer(0))
		defer other.Close()
		defer conn.Close()
		go conn.Write([]byte{1})
		synctest.Wait()
		n, err := conn.Write(nil)
		require.NoError(t, err)
		require.Zero(t, n)
	})
}
