package serialserver_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// shaking is a handshake's type without its results' names.
type shaking = func(context.Context, net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error)

// serveWith serves one connection with a handshake.
func serveWith(t *testing.T, h shaking, opts ...serialserver.Option) (*serialserver.Server, *session) {
	srv := newServer(nil, nil, append(opts, serialserver.WithHandshake(h, 0))...)
	return srv, listen(context.Background(), srv).dial(t)
}

// The context of a handshake ends with the server.
func TestHandshakeContextEndsWithTheServer(t *testing.T) {
	for name, stop := range map[string]func(*serialserver.Server){
		"Close":    func(srv *serialserver.Server) { srv.Close() },
		"Shutdown": func(srv *serialserver.Server) { <-shutDown(srv, time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cause := make(chan error, 1)
				srv, s := serveWith(t, func(c context.Context, _ net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
					<-c.Done()
					cause <- context.Cause(c)
					return nil, nil, nil, nil, c.Err()
				})
				synctest.Wait()
				stop(srv)
				require.Equal(t, serialserver.ErrServerClosed, <-cause)
				s.wantsEnd()
				srv.Wait()
				require.Equal(t, serialserver.Report{Cut: 1}, (<-shutDown(srv, 0)).Report)
			})
		})
	}
}

// A handshake that does not mind the end of its time is over, whatever deadlines it sets.
func TestHandshakeCannotUndoItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, s := serveWith(t, func(c context.Context, conn net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
			sleep(serialserver.DefaultHandshake + time.Second)
			conn.SetDeadline(time.Now().Add(time.Hour))
			_, err := conn.Read(make([]byte, 1))
			return c, conn, nil, nil, err
		})
		s.wantsEnd()
		require.Equal(t, serialserver.DefaultHandshake, time.Since(s.start))
		srv.Wait()
		require.Equal(t, serialserver.DefaultHandshake+time.Second, time.Since(s.start))
		srv.Close()
	})
}

// What a handshake says when it refuses arrives, also where the client has sent more than it read.
func TestHandshakeRefusalArrives(t *testing.T) {
	refuse := func(_ context.Context, conn net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
		io.WriteString(conn, "no")
		return nil, nil, nil, nil, errBroken
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	for name, h := range map[string]shaking{"plain": refuse, "TLS": serialserver.TLSHandshake(config, refuse)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, s := serveWith(t, h)
				if name == "TLS" {
					s = sessionOf(t, tls.Client(s.Conn, &tls.Config{InsecureSkipVerify: true}))
				}
				s.send(request(echoTask, "in advance"), make([]byte, 10_000))
				synctest.Wait()
				got, err := io.ReadAll(s.Conn)
				require.NoError(t, err)
				require.Equal(t, "no", string(got))
				srv.Close()
			})
		})
	}
}

// closes counts the Closes of a connection.
type closes struct {
	net.Conn
	n *atomic.Int32
}

func (c closes) Close() error { c.n.Add(1); return c.Conn.Close() }

// layer hides what it is on, and forgets to close that.
type layer struct{ net.Conn }

func (layer) Close() error { return nil }

// The accepted connection and the layer on it are closed, however the handshake ends.
func TestHandshakeLeavesNothingOpen(t *testing.T) {
	for name, test := range map[string]struct {
		h        func(conn net.Conn) (net.Conn, error)
		layered  bool
		accepted bool
	}{
		"too late": {func(conn net.Conn) (net.Conn, error) { sleep(time.Hour); return conn, nil }, true, true},
		"an error": {func(conn net.Conn) (net.Conn, error) { return conn, errBroken }, true, true},
		"forgets":  {func(conn net.Conn) (net.Conn, error) { return layer{conn}, nil }, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var accepted, layered atomic.Int32
				srv := newServer(nil, nil, serialserver.WithHandshake(
					func(c context.Context, conn net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
						own, err := test.h(closes{conn, &layered})
						return c, own, nil, nil, err
					}, 0))
				l := listen(context.Background(), srv)
				client, server := serialtest.Pipe()
				l.accepts <- accepted2(closes{server, &accepted})
				s := sessionOf(t, client)
				s.closeWrite()
				s.wantsEnd()
				srv.Wait()
				require.NotZero(t, accepted.Load())
				require.Equal(t, test.layered, layered.Load() > 0)
				srv.Close()
			})
		})
	}
}

func accepted2(conn net.Conn) accepted { return accepted{conn, nil} }

// bomb is a connection that panics when it is read.
type bomb struct{ net.Conn }

func (bomb) Read([]byte) (int, error) { panic("layer") }

// panicky is a Metrics that panics.
type panicky struct{ serialserver.MemoryMetrics }

func (*panicky) TaskStarted(client, serial.TaskCode) { panic("metrics") }

// What the application has put into a connection of Serve and panics costs that connection and a line.
func TestServeSurvivesPanics(t *testing.T) {
	for name, test := range map[string]struct {
		h       shaking
		metrics serialserver.Metrics
	}{
		"layer": {h: func(c context.Context, conn net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
			return c, bomb{conn}, nil, nil, nil
		}},
		"metrics": {metrics: &panicky{}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lg, logs := observed()
				srv := newServer(nil, nil, serialserver.WithHandshake(test.h, 0))
				srv.SetLogger(lg)
				srv.SetMetrics(test.metrics)
				s := listen(context.Background(), srv).dial(t)
				s.Write(request(echoTask, "x"))
				io.ReadAll(s.Conn)
				srv.Wait()
				synctest.Wait()
				lines := logs.FilterMessage("connection panicked").All()
				require.Len(t, lines, 1)
				require.Contains(t, lines[0].ContextMap()["error"], name)
				require.Contains(t, lines[0].ContextMap()["stack"], "arrival_test.go")
				require.Zero(t, srv.NumClients())
				srv.Close()
			})
		})
	}
}

// Close ends a TLS connection at once also where the handshake's layer hides that it is one.
func TestCloseOfHiddenTLSIsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := &tls.Config{Certificates: []tls.Certificate{certificate(t)}, SessionTicketsDisabled: true}
		hide := func(c context.Context, conn net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
			return c, struct{ net.Conn }{conn}, nil, nil, nil
		}
		srv := newServer(nil, nil, serialserver.WithHandshake(serialserver.TLSHandshake(config, hide), 0))
		l := listen(context.Background(), srv)
		s := l.dial(t, serialtest.Buffer(0))
		secure := sessionOf(t, tls.Client(s.Conn, &tls.Config{InsecureSkipVerify: true}))
		secure.send(request(echoTask, "x"))
		secure.wants(ok("x"))
		start := time.Now()
		srv.Close()
		srv.Wait()
		require.Zero(t, time.Since(start))
	})
}

// A panic of a handshake is logged with its stack, and the end of its goroutine is logged too.
func TestHandshakeLog(t *testing.T) {
	for sent, want := range map[string]string{"?": "panic: who?", ".": "ended its goroutine"} {
		synctest.Test(t, func(t *testing.T) {
			lg, logs := observed()
			srv, s := serveWith(t, hello)
			srv.SetLogger(lg)
			s.send([]byte(sent))
			s.wantsEnd()
			srv.Wait()
			line := logs.FilterMessage("handshake failed").All()[0].ContextMap()
			require.Contains(t, line["error"], want)
			if sent == "?" {
				require.Contains(t, line["stack"], "handshake_test.go")
			}
			srv.Close()
		})
	}
}

// touched is a connection that says when it is used after it was closed for good.
type touched struct {
	net.Conn
	over *atomic.Bool
	late *atomic.Bool
}

func (c touched) SetDeadline(t time.Time) error {
	if c.over.Load() {
		c.late.Store(true)
	}
	return c.Conn.SetDeadline(t)
}

// Nothing touches a connection any more when its handshake has panicked and Wait has returned.
func TestHandshakeThatPanicsIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil, serialserver.WithHandshake(
			func(context.Context, net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
				panic("handshake")
			}, 0))
		l := listen(context.Background(), srv)
		var over, late atomic.Bool
		client, server := serialtest.Pipe()
		l.accepts <- accepted2(touched{server, &over, &late})
		s := sessionOf(t, client)
		s.wantsEnd()
		srv.Wait()
		over.Store(true)
		sleep(time.Minute)
		require.False(t, late.Load())
		srv.Close()
	})
}

var errClosing = errors.New("closing")
