package serialserver_test

import (
	"crypto/tls"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
)

// kept is what the kernel was told of a connection: seconds, and milliseconds for the user timeout.
type kept struct{ on, idle, interval, count, user int }

func keptOf(t *testing.T, conn *net.TCPConn) (k kept) {
	t.Helper()
	raw, err := conn.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		for _, opt := range []struct {
			to          *int
			level, name int
		}{
			{&k.on, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE},
			{&k.idle, syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE},
			{&k.interval, syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL},
			{&k.count, syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT},
			{&k.user, syscall.IPPROTO_TCP, 18},
		} {
			*opt.to, err = syscall.GetsockoptInt(int(fd), opt.level, opt.name)
			require.NoError(t, err)
		}
	}))
	return k
}

func TestKeepAliveOfTCP(t *testing.T) {
	for name, test := range map[string]struct {
		timeout serialserver.Timeout
		opts    []serialserver.Option
		layer   func(net.Conn) net.Conn
		want    kept
	}{
		"default":          {want: kept{1, 30, 10, 3, 60_000}},
		"set":              {opts: []serialserver.Option{serialserver.WithKeepAlive(12 * time.Second)}, want: kept{1, 6, 2, 3, 12_000}},
		"rounded up":       {opts: []serialserver.Option{serialserver.WithKeepAlive(time.Second)}, want: kept{1, 1, 1, 3, 5_000}},
		"long write":       {timeout: serialserver.Timeout{Write: time.Hour}, want: kept{1, 30, 10, 3, 3_600_000}},
		"no write timeout": {timeout: serialserver.Timeout{Write: -1}, want: kept{1, 30, 10, 3, 0}},
		"off":              {opts: []serialserver.Option{serialserver.WithKeepAlive(-1)}, want: kept{0, 0, 0, 0, 0}},
		"TLS":              {layer: func(c net.Conn) net.Conn { return tls.Server(c, &tls.Config{}) }, want: kept{1, 30, 10, 3, 60_000}},
		"a layer without end": {
			layer: func(c net.Conn) net.Conn { return itself{c} }, want: kept{0, 0, 0, 0, 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ln, err := (&net.ListenConfig{KeepAlive: -1}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer ln.Close()
			client, err := net.Dial("tcp", ln.Addr().String())
			require.NoError(t, err)
			server, err := ln.Accept()
			require.NoError(t, err)
			layer := server
			if test.layer != nil {
				layer = test.layer(server)
			}
			opened := make(opened)
			srv := newServer(&test.timeout, nil, test.opts...)
			srv.SetMetrics(opened)
			serve(t, t.Context(), srv, client, layer)
			<-opened
			got := keptOf(t, server.(*net.TCPConn))
			if got.on == 0 {
				got = kept{user: got.user} // the rest is the system's
			}
			require.Equal(t, test.want, got)
		})
	}
}

// opened is told when a connection is served.
type opened chan struct{}

func (o opened) ConnectionOpened(client)                         { o <- struct{}{} }
func (opened) ConnectionClosed(client, serialserver.CloseReason) {}
func (opened) TaskStarted(client, serial.TaskCode)               {}
func (opened) TaskDone(client, serialserver.TaskResult)          {}

// endless is a layer that says that it is its own one below.
type itself struct{ net.Conn }

func (e itself) NetConn() net.Conn { return e }
