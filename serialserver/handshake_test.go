package serialserver_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

type nameKey struct{}

// hello is a handshake: the client says one byte, its name.
func hello(ctx context.Context, conn net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
	name := make([]byte, 1)
	if _, err := io.ReadFull(conn, name); err != nil {
		return nil, nil, nil, nil, err
	}
	switch name[0] {
	case '!':
		return nil, nil, nil, nil, errBroken
	case '?':
		panic("who?")
	case '.':
		runtime.Goexit()
	}
	return context.WithValue(ctx, nameKey{}, string(name)), conn, binary.LittleEndian, []any{string(name)}, nil
}

// What the handshake found out is what the tasks get.
func TestHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serialserver.New(nil, serialserver.WithHandshake(hello, 0))
		srv.Register(testTask, func(c ctx, cl client, in reader, _ *zap.Logger, args ...interface{}) (io.Reader, error) {
			require.Equal(t, binary.LittleEndian, in.ByteOrder())
			require.Equal(t, c.Value(nameKey{}), args[0])
			return in, nil
		}, "test")
		l := listen(context.Background(), srv)
		defer srv.Close()
		s := l.dial(t)
		synctest.Wait()
		require.Zero(t, srv.NumClients(), "not yet")
		s.send([]byte("n"), request(testTask, "x"))
		s.wants(ok("x"))
		require.Equal(t, 1, srv.NumClients())
		sleep(serialserver.DefaultHandshake)
		s.send(request(testTask, "still there"))
		s.wants(ok("still there"))
	})
}

// A handshake that fails costs its connection and a line in the log, and nobody else anything.
func TestHandshakeFails(t *testing.T) {
	for name, test := range map[string]struct {
		does  func(*session)
		after time.Duration
		error string
	}{
		"refused":  {func(s *session) { s.send([]byte("!")) }, 0, "broken"},
		"panics":   {func(s *session) { s.send([]byte("?")) }, 0, "panic: who?"},
		"goexit":   {func(s *session) { s.send([]byte(".")) }, 0, ""},
		"goes":     {(*session).closeWrite, 0, "EOF"},
		"too late": {func(*session) {}, serialserver.DefaultHandshake, "handshake timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lg, logs := observed()
				srv := serialserver.New(nil, serialserver.WithHandshake(hello, 0))
				srv.Register(echoTask, task(echo).run, "echo")
				srv.SetLogger(lg)
				l := listen(context.Background(), srv)
				defer srv.Close()
				s := l.dial(t, serialtest.Addrs(serialtest.Addr("192.0.2.7:1"), serialtest.Addr("server")))
				other := l.dial(t)
				other.send([]byte("n"), request(echoTask, "x"))
				other.wants(ok("x"))
				test.does(s)
				s.wantsEnd()
				require.Equal(t, test.after, time.Since(s.start))
				synctest.Wait()
				other.Close()
				srv.Wait()
				if test.error == "" {
					return
				}
				lines := logs.FilterMessage("handshake failed").All()
				require.Len(t, lines, 1)
				require.Equal(t, "192.0.2.7:1", lines[0].ContextMap()["remote"])
				require.Contains(t, lines[0].ContextMap()["error"], test.error)
			})
		})
	}
}

// A client that is in its handshake when the server is shut down is told Goodbye after it; at the end of the
// time it is closed.
func TestHandshakeDuringAShutdown(t *testing.T) {
	for _, late := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			srv := serialserver.New(nil, serialserver.WithHandshake(hello, 0))
			l := listen(context.Background(), srv)
			s := l.dial(t)
			synctest.Wait()
			done := shutDown(srv, time.Second)
			synctest.Wait()
			if late {
				require.Equal(t, time.Second, (<-done).after)
				s.wantsEnd()
				return
			}
			s.send([]byte("n"), request(testTask, ""))
			s.wants(goodbye)
			s.Close()
			require.Equal(t, report{Report: serialserver.Report{Idle: 1}}, <-done)
		})
	}
}

// TLS is shaken hands with outside the loop that accepts, within the same time.
func TestServeTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serialserver.New(nil, serialserver.WithHandshake(hello, 0))
		srv.Register(echoTask, task(echo).run, "echo")
		l := newListener()
		returned := make(chan error, 1)
		config := &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
		go func() { returned <- srv.ServeTLS(context.Background(), l, config) }()
		silent := l.dial(t)
		s := sessionOf(t, tls.Client(l.dial(t).Conn, &tls.Config{InsecureSkipVerify: true}))
		s.send([]byte("n"), request(echoTask, "x"))
		s.wants(ok("x"))
		silent.wantsEnd()
		require.Equal(t, serialserver.DefaultHandshake, time.Since(s.start))
		srv.Close()
		require.Equal(t, serialserver.ErrServerClosed, <-returned)
	})
}

// A listener may have a handshake of its own, with TLS below it or none at all.
func TestServeHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := func(context.Context, net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
			panic("the server's handshake is not asked")
		}
		srv := serialserver.New(nil, serialserver.WithHandshake(broken, 0))
		srv.Register(echoTask, task(echo).run, "echo")
		config := &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
		plain, named, secure, both := newListener(), newListener(), newListener(), newListener()
		returned := make(chan error, 4)
		for l, h := range map[*listener]serialserver.Handshake{
			plain: nil, named: hello,
			secure: serialserver.TLSHandshake(config, nil), both: serialserver.TLSHandshake(config, hello),
		} {
			go func() { returned <- srv.ServeHandshake(context.Background(), l, h) }()
		}
		for l, name := range map[*listener]string{plain: "", named: "n", secure: "", both: "n"} {
			s := l.dial(t)
			if l == secure || l == both {
				s = sessionOf(t, tls.Client(s.Conn, &tls.Config{InsecureSkipVerify: true}))
			}
			s.send([]byte(name), request(echoTask, "x"))
			s.wants(ok("x"))
		}
		srv.Close()
		for range 4 {
			require.Equal(t, serialserver.ErrServerClosed, <-returned)
		}
	})
}

// A handshake that does not mind its end and succeeds later is not served all the same.
func TestHandshakeThatReturnsTooLate(t *testing.T) {
	for _, late := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			takes := serialserver.DefaultHandshake - 1
			if late {
				takes += 2
			}
			lg, logs := observed()
			srv := newServer(nil, nil, serialserver.WithHandshake(
				func(ctx context.Context, conn net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
					sleep(takes)
					return ctx, conn, nil, nil, nil
				}, 0))
			srv.SetLogger(lg)
			l := listen(context.Background(), srv)
			defer srv.Close()
			s := l.dial(t)
			s.send(request(emptyTask, ""))
			if !late {
				s.wants(ok(""))
				return
			}
			_, err := s.in.ReadByte()
			require.Error(t, err, "nobody answers")
			require.Equal(t, serialserver.DefaultHandshake, time.Since(s.start))
			srv.Wait()
			lines := logs.FilterMessage("handshake failed").All()
			require.Len(t, lines, 1)
			require.Contains(t, lines[0].ContextMap()["error"], "handshake timeout")
		})
	}
}

// A deadline that a handshake has set on the connection ends with it. A layer above may have deadlines of its
// own, and not set those of the connection again.
func TestHandshakeLeavesNoDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil, serialserver.WithHandshake(
			func(ctx context.Context, conn net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
				require.NoError(t, conn.SetDeadline(time.Now().Add(time.Second)))
				return ctx, layered(conn), nil, nil, nil
			}, 0))
		l := listen(context.Background(), srv)
		defer srv.Close()
		s := l.dial(t)
		for range 2 {
			s.send(request(echoTask, "hello"))
			s.wants(ok("hello"))
			sleep(time.Minute)
		}
	})
}

// layered returns a connection to which two goroutines carry what goes over conn.
func layered(conn net.Conn) net.Conn {
	above, below := serialtest.Pipe()
	carry := func(dst, src net.Conn) {
		io.Copy(dst, src)
		dst.Close()
	}
	go carry(below, conn)
	go carry(conn, below)
	return above
}
