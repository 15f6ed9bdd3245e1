package serialtest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

// proxied is a proxy with both ends of one connection through it.
type proxied struct {
	*serialtest.Proxy
	client, server net.Conn
}

// throughProxy connects two pipes through a proxy with the faults, and closes everything in the end.
func throughProxy(t *testing.T, faults ...*serialtest.ProxyFault) proxied {
	t.Helper()
	servers := make(chan net.Conn, 1)
	p := serialtest.NewProxy(func(context.Context) (net.Conn, error) {
		near, server := serialtest.Pipe()
		servers <- server
		return near, nil
	}, faults...)
	client, err := p.Dial()
	require.NoError(t, err)
	all := proxied{p, client, <-servers}
	t.Cleanup(func() {
		require.NoError(t, p.Close())
		all.client.Close()
		all.server.Close()
	})
	return all
}

// bubble runs f in a synctest bubble, whose end requires that all goroutines have ended.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// exchange is a request of 6 bytes, twice, and responses of 5, 2 and 1.
const (
	aRequest = "\x01\x03abc\x00"
	anOK     = "\x00\x02xy\x00"
	anError  = "\x01\x07"
	aGoodbye = "\x02"
)

func received(t *testing.T, c io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(c)
	require.NoError(t, err)
	return string(b)
}

func TestProxyPassesBytesAndHalfClosesOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := throughProxy(t)
		mustWrite(t, p.client, aRequest)
		require.NoError(t, closeWrite(t, p.client))
		require.Equal(t, aRequest, received(t, p.server))
		mustWrite(t, p.server, anOK+aGoodbye)
		synctest.Wait()
		mustRead(t, p.client, anOK+aGoodbye)
		require.NoError(t, closeWrite(t, p.server))
		require.Empty(t, received(t, p.client))
	})
}

func TestProxyPassesAResetOn(t *testing.T) {
	for _, fromClient := range []bool{true, false} {
		bubble(t, func(t *testing.T) {
			p := throughProxy(t)
			from, to := p.client, p.server
			if !fromClient {
				from, to = to, from
			}
			require.NoError(t, from.(interface{ SetLinger(int) error }).SetLinger(0))
			require.NoError(t, from.Close())
			readFails(t, to, syscall.ECONNRESET)
		})
	}
}

// A connection that cannot be half closed is closed instead, which is no reset for the other end.
func TestProxyWithoutHalfClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		servers := make(chan net.Conn, 1)
		p := serialtest.NewProxy(func(context.Context) (net.Conn, error) {
			near, server := serialtest.Pipe()
			servers <- server
			return near, nil
		})
		client, err := p.Dial(serialtest.NoHalfClose())
		require.NoError(t, err)
		server := <-servers
		mustWrite(t, server, anOK)
		require.NoError(t, closeWrite(t, server))
		require.Equal(t, anOK, received(t, client))
		require.Empty(t, received(t, server))
		require.NoError(t, p.Close())
	})
}

// A sender whose receiver has gone for good is told, once it has everything that the receiver had said.
func TestProxyResetsASenderWhoseReceiverIsGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := throughProxy(t)
		mustWrite(t, p.server, aGoodbye)
		require.NoError(t, p.server.Close())
		mustRead(t, p.client, aGoodbye)
		readFails(t, p.client, io.EOF)
		mustWrite(t, p.client, aRequest)
		synctest.Wait()
		readFails(t, p.client, syscall.ECONNRESET)
	})
}

// The proxy holds 64 KiB of a direction and no more.
func TestProxyIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := serialtest.ClientByte(0).Stall()
		p := throughProxy(t, f)
		sent := writing(p.client, string(make([]byte, 1<<20)))
		require.NoError(t, p.client.SetWriteDeadline(time.Now().Add(time.Minute)))
		r := <-sent
		require.Error(t, r.err)
		require.LessOrEqual(t, r.n, 64<<10+64<<10+64<<10, "client's buffer, queue, pieces on their way")
		require.Greater(t, r.n, 64<<10)
		require.Equal(t, 1, f.Fired())
	})
}

func TestProxyThatCannotDialResets(t *testing.T) {
	bubble(t, func(t *testing.T) {
		refused := errors.New("refused")
		p := serialtest.NewProxy(func(context.Context) (net.Conn, error) { return nil, refused })
		client, err := p.Dial()
		require.NoError(t, err)
		readFails(t, client, syscall.ECONNRESET)
		near, _ := serialtest.Pipe()
		require.ErrorIs(t, p.Handle(near), refused)
		require.NoError(t, p.Close())
	})
}

// Close ends what hangs: a stall, a delay, a dial, a connection on which nothing happens.
func TestProxyCloseWaitsForEverything(t *testing.T) {
	bubble(t, func(t *testing.T) {
		start := time.Now()
		for _, f := range []*serialtest.ProxyFault{
			serialtest.ClientByte(0).Stall(), serialtest.ClientByte(0).Delay(time.Hour),
			serialtest.ClientByte(0).Drip(time.Hour), serialtest.ClientByte(100).Reset(),
		} {
			p := throughProxy(t, f)
			mustWrite(t, p.client, aRequest)
			synctest.Wait()
			require.NoError(t, p.Close())
			_, err := p.client.Read(make([]byte, 1))
			require.Error(t, err)
		}
		require.Zero(t, time.Since(start))
		p := serialtest.NewProxy(func(ctx context.Context) (net.Conn, error) {
			<-ctx.Done()
			<-time.After(time.Minute)
			return nil, ctx.Err()
		})
		_, err := p.Dial()
		require.NoError(t, err)
		synctest.Wait()
		require.NoError(t, p.Close())
		require.Equal(t, time.Minute, time.Since(start), "Close waits for the dialler")

		_, err = p.Dial()
		require.ErrorIs(t, err, serialtest.ErrProxyClosed)
		near, far := serialtest.Pipe()
		require.ErrorIs(t, p.Handle(near), serialtest.ErrProxyClosed)
		readFails(t, far, io.EOF)
	})
}

func TestProxyServesAListener(t *testing.T) {
	serialtest.CheckLeaks(t)
	servers, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer servers.Close()
	near, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	fault := serialtest.RequestByte(0, 4).HalfClose()
	p := serialtest.NewProxy(func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", servers.Addr().String())
	}, fault)
	served := make(chan error, 1)
	go func() { served <- p.Serve(near) }()
	client, err := net.Dial("tcp", near.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	server, err := servers.Accept()
	require.NoError(t, err)
	defer server.Close()
	mustWrite(t, client, aRequest)
	require.Equal(t, aRequest[:4], received(t, server))
	mustWrite(t, server, anOK)
	require.NoError(t, server.Close())
	require.Equal(t, anOK, received(t, client))
	require.NoError(t, p.Close())
	require.Equal(t, serialtest.ErrProxyClosed, <-served)
	require.Equal(t, 1, fault.Fired())
	require.Equal(t, serialtest.ErrProxyClosed, p.Serve(near))
}

func TestProxyFaultsAreForConnectionsToCome(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := serialtest.ClientByte(0).Corrupt(1)
		p := throughProxy(t)
		p.SetFaults(f)
		mustWrite(t, p.client, aRequest)
		mustRead(t, p.server, aRequest)
		require.Zero(t, f.Fired())
	})
}
