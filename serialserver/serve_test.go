package serialserver_test

import (
	"context"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// listener is a net.Listener in memory.
type listener struct {
	accepts chan accepted
	closed  chan struct{}
	close   func()
}

// accepted is what an Accept returns.
type accepted struct {
	conn net.Conn
	err  error
}

func newListener() *listener {
	l := &listener{accepts: make(chan accepted), closed: make(chan struct{})}
	l.close = sync.OnceFunc(func() { close(l.closed) })
	return l
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case a := <-l.accepts:
		return a.conn, a.err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error   { l.close(); return nil }
func (l *listener) Addr() net.Addr { return serialtest.Addr("listener") }

// fail makes an Accept fail.
func (l *listener) fail(err error) { l.accepts <- accepted{nil, err} }

// dial connects to a server that serves l.
func (l *listener) dial(t *testing.T, opts ...serialtest.Option) *session {
	t.Helper()
	client, server := serialtest.Pipe(opts...)
	l.accepts <- accepted{server, nil}
	return sessionOf(t, client)
}

// serving is a Serve that runs.
type serving struct {
	*listener
	returned chan error
}

// listen has srv serve a listener.
func listen(ctx ctx, srv *serialserver.Server) *serving {
	s := &serving{newListener(), make(chan error, 1)}
	go func() { s.returned <- srv.Serve(ctx, s.listener) }()
	return s
}

func TestServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		one, two := listen(context.Background(), srv), listen(context.Background(), srv)
		for _, l := range []*serving{one, two, one} {
			s := l.dial(t)
			s.send(request(echoTask, "hello"))
			s.wants(ok("hello"))
		}
		require.Equal(t, 3, srv.NumClients())
		_, err := srv.Shutdown(context.Background())
		require.NoError(t, err)
		require.Equal(t, serialserver.ErrServerClosed, <-one.returned)
		require.Equal(t, serialserver.ErrServerClosed, <-two.returned)
		late := newListener()
		require.Equal(t, serialserver.ErrServerClosed, srv.Serve(context.Background(), late))
		<-late.closed
	})
}

// The end of the context ends Serve and its connections.
func TestServeUntilTheContextIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		ctx, cancel := context.WithCancelCause(context.Background())
		l := listen(ctx, srv)
		s := l.dial(t)
		synctest.Wait()
		cancel(errBroken)
		require.Equal(t, errBroken, <-l.returned)
		s.wants(goodbye)
		s.Close()
		srv.Wait()
		other := listen(context.Background(), srv) // the server goes on
		s = other.dial(t)
		s.send(request(echoTask, "x"))
		s.wants(ok("x"))
		srv.Close()
	})
}

type temporary struct{ error }

func (temporary) Temporary() bool { return true }

// An Accept that fails for the moment is tried again, ever later, and at once after a success.
func TestServeTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		l := listen(context.Background(), srv)
		defer srv.Close()
		failures := []error{&net.OpError{Err: syscall.EMFILE}, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, temporary{errBroken}}
		for range 2 {
			begin := time.Now()
			waited := time.Duration(0)
			for i := range 20 {
				l.fail(failures[i%len(failures)])
				require.Equal(t, waited, time.Since(begin), "failure %d", i)
				waited += min(5*time.Millisecond<<i, time.Second)
			}
			s := l.dial(t)
			require.Equal(t, waited, time.Since(begin))
			s.send(request(echoTask, "x"))
			s.wants(ok("x"))
		}
	})
}

func TestServeFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		l := listen(context.Background(), srv)
		l.fail(errBroken)
		err := <-l.returned
		require.ErrorIs(t, err, errBroken)
		require.EqualError(t, err, "serialserver: accepting on listener: broken")
		<-l.closed
	})
}

// Neither a Shutdown nor the context waits for the next try.
func TestServeIsEndedWhileItWaits(t *testing.T) {
	for _, stop := range []func(srv *serialserver.Server, cancel func()) error{
		func(srv *serialserver.Server, _ func()) error { srv.Close(); return serialserver.ErrServerClosed },
		func(_ *serialserver.Server, cancel func()) error { cancel(); return context.Canceled },
	} {
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(nil, nil)
			ctx, cancel := context.WithCancel(context.Background())
			l := listen(ctx, srv)
			for range 10 {
				l.fail(syscall.EMFILE)
			}
			synctest.Wait()
			begin := time.Now()
			want := stop(srv, cancel)
			require.Equal(t, want, <-l.returned)
			require.Zero(t, time.Since(begin))
			cancel()
		})
	}
}

// sessionOf is a session whose server's end somebody else serves.
func sessionOf(t *testing.T, client net.Conn) *session {
	s := newSession(t, client)
	close(s.returned)
	return s
}

// acceptor is a listener whose Accept is a function.
type acceptor struct{ accept func() (net.Conn, error) }

func (a *acceptor) Accept() (net.Conn, error) { return a.accept() }
func (a *acceptor) Close() error              { return nil }
func (a *acceptor) Addr() net.Addr            { return serialtest.Addr("listener") }

// A connection is the server's before its goroutine runs, so that a Shutdown that comes right after the Accept
// does not miss it.
func TestConnectionIsRegisteredBeforeItsGoroutine(t *testing.T) {
	const connections = 100
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		var known []int // when the next connection is accepted
		err := srv.Serve(context.Background(), &acceptor{func() (net.Conn, error) {
			known = append(known, serialserver.Connections(srv))
			if len(known) > connections {
				srv.Close()
				return nil, net.ErrClosed
			}
			client, server := serialtest.Pipe()
			t.Cleanup(func() { client.Close() })
			return server, nil
		}})
		require.Equal(t, serialserver.ErrServerClosed, err)
		for i, n := range known {
			require.Equal(t, i, n)
		}
		srv.Wait()
	})
}
