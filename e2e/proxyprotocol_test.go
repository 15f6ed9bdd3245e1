package e2e_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	proxyproto "github.com/pires/go-proxyproto"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialserver"
)

// The recipe of docs/guides/proxy-protocol.md.

// fromProxies is a listener whose connections begin with a PROXY header. It takes them from the trusted networks
// alone: anybody else could claim any address.
func fromProxies(l net.Listener, trusted ...string) (net.Listener, error) {
	policy, err := proxyproto.TrustProxyHeaderFromRanges(trusted)
	if err != nil {
		return nil, err
	}
	return &proxyproto.Listener{Listener: l, ConnPolicy: policy, ReadHeaderTimeout: 5 * time.Second}, nil
}

// proxied is a connection of that listener with what the server asks of a layer.
type proxied struct{ *proxyproto.Conn }

func (p proxied) NetConn() net.Conn { return p.Raw() }

func (p proxied) CloseWrite() error {
	if half, ok := p.Raw().(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// unproxied is the handshake of its connections.
func unproxied(ctx context.Context, conn net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
	if p, ok := conn.(*proxyproto.Conn); ok {
		conn = proxied{p}
	}
	return ctx, conn, nil, nil, nil
}

// A client behind a proxy has its own address, for its tasks and for the limit of an address; who is no proxy, or
// says nothing, is refused, and holds nobody up.
func TestProxyProtocol(t *testing.T) {
	srv := serialserver.New(nil, serialserver.WithMaxClientsPerAddress(1), serialserver.WithHandshake(unproxied, 0))
	srv.Register(1, func(_ context.Context, c *serialserver.Client, _ binaryutil.BinaryReader, _ *zap.Logger, _ ...any) (io.Reader, error) {
		out := binaryutil.NewBuffer(binary.BigEndian, nil)
		out.Write([]byte(c.RemoteAddr().String()))
		return out, nil
	}, "who am I")
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l, err := fromProxies(inner, "127.0.0.1/32")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background(), l) }()

	dial := func(from string) net.Conn {
		conn, err := net.Dial("tcp", inner.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		if from != "" {
			_, err = fmt.Fprintf(conn, "PROXY TCP4 %s 192.0.2.100 4711 7070\r\n", from)
			require.NoError(t, err)
		}
		return conn
	}
	dial("") // says nothing
	for _, from := range []string{"192.0.2.1", "192.0.2.2"} {
		c := serialclient.New(dial(from), nil)
		answer, err := c.Call(context.Background(), 1, nil)
		require.NoError(t, err)
		require.Equal(t, from+":4711", string(answer))
	}
	_, err = serialclient.New(dial("192.0.2.1"), nil).Call(context.Background(), 1, nil)
	require.ErrorIs(t, err, serialclient.ErrGoodbye, "a second one of that address")
	require.True(t, serialclient.SafeToRetry(err))

	plain := dial("")
	_, err = plain.Write([]byte{1, 0}) // a request without a header
	require.NoError(t, err)
	rest, _ := io.ReadAll(plain)
	require.Empty(t, rest)

	srv.Close()
	require.Equal(t, serialserver.ErrServerClosed, <-served)
	srv.Wait()
}

// Who is not of a trusted network cannot claim to be somebody.
func TestProxyProtocolOfStrangers(t *testing.T) {
	srv := serialserver.New(nil, serialserver.WithHandshake(unproxied, 0))
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l, err := fromProxies(inner, "192.0.2.0/24")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background(), l) }()
	conn, err := net.Dial("tcp", inner.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	conn.Write([]byte("PROXY TCP4 192.0.2.1 192.0.2.100 4711 7070\r\n\xfa\x00")) // and a KeepAlive
	rest, _ := io.ReadAll(conn)
	require.Empty(t, rest)
	srv.Close()
	require.Equal(t, serialserver.ErrServerClosed, <-served)
	srv.Wait()
}
