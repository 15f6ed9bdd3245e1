package serialserver_test

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// closing is a listener whose Close is the test's. Its type cannot be compared.
type closing struct {
	*listener
	close func() error
	_     []byte
}

func (c closing) Close() error {
	err := c.close()
	c.listener.Close()
	return err
}

// A listener is closed once, whoever ends it, and its error is told.
func TestListenerIsClosedOnce(t *testing.T) {
	for name, end := range map[string]func(srv *serialserver.Server, cancel func(), l *listener) error{
		"Close":   func(srv *serialserver.Server, _ func(), _ *listener) error { return srv.Close() },
		"context": func(srv *serialserver.Server, cancel func(), _ *listener) error { cancel(); return errClosing },
		"Accept":  func(_ *serialserver.Server, _ func(), l *listener) error { l.fail(errBroken); return errClosing },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var closes atomic.Int32
				srv := newServer(nil, nil)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				l := closing{newListener(), func() error { closes.Add(1); return errClosing }, nil}
				returned := make(chan error, 1)
				go func() { returned <- srv.Serve(ctx, l) }()
				synctest.Wait()
				require.ErrorIs(t, end(srv, cancel, l.listener), errClosing)
				require.Error(t, <-returned)
				require.NoError(t, srv.Close(), "there is nothing left to close")
				require.EqualValues(t, 1, closes.Load())
			})
		})
	}
}

// A Close of a listener that lasts, asks the server or panics holds up nobody.
func TestListenerCloseHoldsNobodyUp(t *testing.T) {
	for name, lasts := range map[string]func(*serialserver.Server) error{
		"lasts":  func(*serialserver.Server) error { sleep(time.Hour); return nil },
		"asks":   func(srv *serialserver.Server) error { srv.NumClients(); return nil },
		"panics": func(*serialserver.Server) error { panic("close") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil)
				slow := closing{listener: newListener(), close: func() error { return lasts(srv) }}
				go srv.Serve(context.Background(), slow)
				s := listen(context.Background(), srv).dial(t)
				synctest.Wait()
				done := shutDown(srv, time.Second)
				s.wants(goodbye)
				require.Zero(t, time.Since(s.start))
				s.Close()
				r := <-done
				require.LessOrEqual(t, r.after, time.Second+50*time.Millisecond)
				if err := srv.Close(); name == "panics" {
					require.NoError(t, err, "the first stop's")
				}
				require.Equal(t, 1, r.Idle)
				slow.listener.Close()
				srv.Wait()
			})
		})
	}
}

// slowAccept is a listener that has accepted and takes its time to say so.
type slowAccept struct {
	net.Listener
	conn chan net.Conn
}

func (l slowAccept) Accept() (net.Conn, error) {
	conn, ok := <-l.conn
	if !ok {
		return nil, net.ErrClosed
	}
	sleep(time.Second)
	return conn, nil
}
func (l slowAccept) Close() error   { close(l.conn); return nil }
func (l slowAccept) Addr() net.Addr { return serialtest.Addr("slow") }

// A connection that Accept has already is refused with Goodbye, and Shutdown, or Wait after Close, waits for it.
func TestWhatAcceptHasIsNotMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, stop := range []func(*serialserver.Server){
			func(srv *serialserver.Server) {
				require.Equal(t, serialserver.Report{Idle: 1}, (<-shutDown(srv, 0)).Report)
			},
			func(srv *serialserver.Server) { srv.Close(); srv.Wait() },
		} {
			srv := newServer(nil, nil)
			l := slowAccept{conn: make(chan net.Conn)}
			go srv.Serve(context.Background(), l)
			client, server := serialtest.Pipe()
			l.conn <- server
			s := sessionOf(t, client)
			s.send(request(echoTask, "not run"))
			go func() { s.wants(goodbye); s.Close() }()
			start := time.Now()
			stop(srv)
			require.Equal(t, time.Second, time.Since(start))
			require.Zero(t, srv.NumClients())
		}
	})
}

// Errors of accept(2) that say nothing about the listener do not end Serve.
func TestAcceptErrorsThatPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		l := listen(context.Background(), srv)
		for _, errno := range []syscall.Errno{
			syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EPROTO, syscall.ENETDOWN, syscall.ENOPROTOOPT,
			syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EPERM,
		} {
			l.fail(&net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", errno)})
		}
		s := l.dial(t)
		s.send(request(echoTask, "x"))
		s.wants(ok("x"))
		srv.Close()
	})
}

// A listener that gives nothing is broken, and so is TLS without a certificate.
func TestServeRefusesWhatCannotWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		l := listen(context.Background(), srv)
		l.accepts <- accepted{}
		require.EqualError(t, <-l.returned, "serialserver: accepting on listener: no connection and no error")
		for _, config := range []*tls.Config{nil, {}} {
			l := newListener()
			require.EqualError(t, srv.ServeTLS(context.Background(), l, config), "serialserver: ServeTLS without a certificate")
			<-l.closed
		}
	})
}
