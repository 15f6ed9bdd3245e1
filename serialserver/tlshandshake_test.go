package serialserver_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// unshaken returns the ends of a TLS connection whose handshake is still to come, and what is below the client's.
func unshaken(t *testing.T) (client *tls.Conn, server, below net.Conn) {
	below, raw := serialtest.Pipe()
	client = tls.Client(below, &tls.Config{InsecureSkipVerify: true})
	server = tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{certificate(t)}, SessionTicketsDisabled: true})
	return client, server, below
}

// sized is a layer that one can look through.
type sized struct{ net.Conn }

func (s sized) NetConn() net.Conn { return s.Conn }

// A client that there is no room for, or that comes after a stop, is told Goodbye on a TLS connection too that has not
// shaken hands: it gets no reset.
func TestGoodbyeOnATLSConnectionThatHasNotShakenHands(t *testing.T) {
	for name, test := range map[string]struct {
		before func(*testing.T, *serialserver.Server)
		layer  func(net.Conn) net.Conn
		want   error
	}{
		"no room": {func(t *testing.T, srv *serialserver.Server) { connect(t, srv) },
			func(c net.Conn) net.Conn { return c }, serialserver.ErrTooManyClients},
		"no room, layered": {func(t *testing.T, srv *serialserver.Server) { connect(t, srv) },
			func(c net.Conn) net.Conn { return sized{c} }, serialserver.ErrTooManyClients},
		"stopped": {func(_ *testing.T, srv *serialserver.Server) { srv.Shutdown(context.Background()) },
			func(c net.Conn) net.Conn { return c }, serialserver.ErrGracefulDisconnect},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil, serialserver.WithMaxClients(1))
				test.before(t, srv)
				synctest.Wait()
				client, server, _ := unshaken(t)
				s := serve(t, context.Background(), srv, client, test.layer(server))
				sleep(time.Second)
				s.wants(goodbye)
				s.wantsEnd()
				s.Close()
				require.Equal(t, test.want, s.result())
			})
		})
	}
}

// A client that is silent instead of shaking hands has 2 s where it is refused, and otherwise the time of a handshake.
func TestTLSHandshakeIsBounded(t *testing.T) {
	for room, limit := range map[int]time.Duration{0: 2 * time.Second, 1: 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(nil, nil, serialserver.WithMaxClients(1))
			if room == 0 {
				connect(t, srv)
				synctest.Wait()
			}
			_, server, below := unshaken(t)
			s := serve(t, context.Background(), srv, below, server)
			require.ErrorIs(t, s.result(), serialserver.ErrHandshakeTimeout)
			require.ErrorIs(t, s.err, os.ErrDeadlineExceeded)
			require.Equal(t, limit, s.lasted)
		})
	}
}

// A handshake may begin late, and the session is as any other. A Disconnect meanwhile waits for it, and is told.
func TestTLSHandshakeThatTakesItsTime(t *testing.T) {
	for name, leave := range map[string]func(*serialserver.Server){
		"":           nil,
		"disconnect": func(srv *serialserver.Server) { srv.Disconnect(0) },
		"shutdown":   func(srv *serialserver.Server) { go srv.Shutdown(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil)
				client, server, _ := unshaken(t)
				s := serve(t, context.Background(), srv, client, server)
				sleep(time.Second)
				if leave != nil {
					leave(srv)
					sleep(3 * time.Second)
					s.wants(goodbye)
					s.Close()
					require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
					return
				}
				sleep(8 * time.Second)
				for range 3 {
					s.send(request(echoTask, "x"))
					s.wants(ok("x"))
					sleep(time.Minute)
				}
			})
		})
	}
}

// Layers on a TLS connection that say what is below them hide neither its state nor what an end of it takes.
func TestTLSBelowLayers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, func(_ ctx, c client, in reader) (io.Reader, error) {
			state, ok := c.TLS()
			require.True(t, ok)
			require.Equal(t, uint16(tls.VersionTLS13), state.Version)
			return in, nil
		})
		client, server, _ := unshaken(t)
		s := serve(t, context.Background(), srv, client, sized{sized{server}})
		s.send(request(testTask, "x"))
		s.wants(ok("x"))
	})
}

// opens is Metrics of which ConnectionOpened calls a function.
type opens struct {
	serialserver.Metrics
	f func(client)
}

func (o opens) ConnectionOpened(c client) { o.f(c) }

// A Disconnect that comes before the handshake does not keep it from being made: the client can be told.
func TestDisconnectBeforeTheTLSHandshake(t *testing.T) {
	for name, leave := range map[string]func(*serialserver.Server, client){
		"disconnect": func(_ *serialserver.Server, c client) { c.Disconnect(0) },
		"shutdown": func(srv *serialserver.Server, _ client) {
			go srv.Shutdown(context.Background())
			synctest.Wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil)
				srv.SetMetrics(opens{new(serialserver.MemoryMetrics), func(c client) { leave(srv, c) }})
				client, server, _ := unshaken(t)
				s := serve(t, context.Background(), srv, client, server)
				s.wants(goodbye)
				s.wantsEnd()
				s.Close()
				require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
			})
		})
	}
}
