package e2e_test

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// pattern is a reader of n bytes that depend on where they are.
func pattern(n int64) io.Reader { return io.LimitReader(new(counter), n) }

type counter struct{ at uint64 }

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(c.at * 0x9e3779b97f4a7c15 >> 56)
		c.at++
	}
	return len(p), nil
}

// sum returns the length and the CRC-32C of what r reads.
func sum(t *testing.T, r io.Reader) (int64, uint32) {
	h := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	n, err := io.Copy(h, r)
	require.NoError(t, err)
	return n, h.Sum32()
}

// tcpPair returns a connection on loopback whose ends can send next to nothing ahead of their peers.
// The receive buffers stay as they are: with 1 KiB the kernel's own probes of a closed window make
// 17 KB/s of any TCP connection, bare ones too.
func tcpPair(t *testing.T) (client, server net.Conn) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	client, err = net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	server, err = ln.Accept()
	require.NoError(t, err)
	require.NoError(t, client.(*net.TCPConn).SetWriteBuffer(1<<10))
	require.NoError(t, server.(*net.TCPConn).SetWriteBuffer(1<<10))
	return client, server
}

// memoryPair returns a connection in memory that holds 1 KiB in each direction.
func memoryPair(*testing.T) (client, server net.Conn) {
	return serialtest.Pipe(serialtest.Buffer(1 << 10))
}

var pairs = map[string]func(*testing.T) (client, server net.Conn){"tcp": tcpPair, "memory": memoryPair}

// serve serves one end of a pair with one task, code 1, and returns a client of it.
func serve(t *testing.T, client, server net.Conn, f serialserver.TaskFunc) *serialclient.Client {
	srv := serialserver.New(nil)
	srv.Register(1, f, "test")
	served := make(chan error, 1)
	go func() { served <- srv.HandleConnection(context.Background(), server, nil) }()
	c := serialclient.New(client, nil)
	t.Cleanup(func() {
		c.Close()
		<-served
	})
	return c
}

// onEachPair runs a test on each kind of connection.
func onEachPair(t *testing.T, f serialserver.TaskFunc, test func(t *testing.T, c *serialclient.Client)) {
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t)
			test(t, serve(t, client, server, f))
		})
	}
}

// call starts a call of task 1 with a request of size bytes and checks that as many come back.
func call(t *testing.T, c *serialclient.Client, size int64) *serialclient.Stream {
	s, err := c.Stream(context.Background(), 1, pattern(size))
	require.NoError(t, err)
	n, crc := sum(t, s)
	_, want := sum(t, pattern(size))
	require.Equal(t, size, n)
	require.Equal(t, want, crc)
	return s
}

// TestLargeEchoThroughSmallBuffers: an echo that is `return in, nil`, of 256 MiB, through buffers
// that hold 1 KiB.
func TestLargeEchoThroughSmallBuffers(t *testing.T) {
	echo := func(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...interface{}) (io.Reader, error) {
		return in, nil
	}
	onEachPair(t, echo, func(t *testing.T, c *serialclient.Client) {
		require.NoError(t, call(t, c, 256<<20).Close())
		require.NoError(t, c.KeepAlive(context.Background()))
	})
}

// TestAnswersWhileTheRequestArrives: 64 MiB each way at once, read and written by the handler side
// by side.
func TestAnswersWhileTheRequestArrives(t *testing.T) {
	const size = 64 << 20
	received := make(chan int64, 1)
	both := func(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...interface{}) (io.Reader, error) {
		pr, pw := io.Pipe()
		go func() {
			n, _ := io.Copy(io.Discard, in)
			received <- n
			pw.Close()
		}()
		return io.MultiReader(pattern(size), pr), nil // ends when the request has
	}
	onEachPair(t, both, func(t *testing.T, c *serialclient.Client) {
		require.NoError(t, call(t, c, size).Close())
		require.Equal(t, int64(size), <-received)
		require.NoError(t, c.KeepAlive(context.Background()))
	})
}

// TestAnswersWithoutReading: a handler answers 64 MiB and reads nothing of the 64 MiB that are
// arriving. The answer is whole; then the server has more to discard than it will.
func TestAnswersWithoutReading(t *testing.T) {
	const size = 64 << 20
	answer := func(context.Context, *serialserver.Client, binaryutil.BinaryReader, *zap.Logger, ...interface{}) (io.Reader, error) {
		return pattern(size), nil
	}
	onEachPair(t, answer, func(t *testing.T, c *serialclient.Client) {
		require.NoError(t, call(t, c, size).Close())
		_, err := c.Call(context.Background(), 1, nil)
		require.True(t, serialclient.SafeToRetry(err), "%v", err)
		require.ErrorIs(t, err, serialclient.ErrBroken)
	})
}

// TestVanishedClientCancelsItsTask: within a second, which the task's own context measures.
func TestVanishedClientCancelsItsTask(t *testing.T) {
	ended := make(chan error, 1)
	began := make(chan struct{}, 1)
	wait := func(ctx context.Context, _ *serialserver.Client, _ binaryutil.BinaryReader, _ *zap.Logger, _ ...interface{}) (io.Reader, error) {
		began <- struct{}{}
		ctx, cancel := context.WithTimeoutCause(ctx, time.Second, errors.New("not within a second"))
		defer cancel()
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return nil, nil
	}
	onEachPair(t, wait, func(t *testing.T, c *serialclient.Client) {
		go func() {
			<-began
			c.Close()
		}()
		_, err := c.Call(context.Background(), 1, nil)
		require.ErrorIs(t, err, serialclient.ErrClosed)
		require.Equal(t, serialclient.Unknown, serialclient.OutcomeOf(err))
		require.ErrorIs(t, <-ended, serialserver.ErrClientVanished)
	})
}
