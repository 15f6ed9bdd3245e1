package serialserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// ErrServerClosed is what Serve returns once Shutdown or Close was called.
var ErrServerClosed = errors.New("serialserver: server closed")

// Serve accepts connections on l and serves each, after its handshake (see WithHandshake), in a goroutine of
// its own, as HandleConnection does; the byte order is big-endian unless the handshake says otherwise. When ctx is done, so are the contexts of the connections. Serve closes l
// before it returns; it does not wait for the connections, as Shutdown and Wait do. Several may run at once,
// on different listeners.
//
// An Accept that fails for the moment, for instance for want of file descriptors, is tried again after 5 ms,
// and then after twice as long each time, up to 1 s. Serve returns any other error of it, wrapped;
// ErrServerClosed after Shutdown or Close, and the cause of ctx when that is done.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	return s.serve(ctx, l, s.handshake)
}

// ServeTLS is Serve with a TLS handshake before the other one. Both together have the handshake's timeout.
//
// It fails at once if the configuration has no certificate and nothing that brings one.
func (s *Server) ServeTLS(ctx context.Context, l net.Listener, config *tls.Config) error {
	if !s.isDown() && !certified(config) {
		l.Close()
		return errors.New("serialserver: ServeTLS without a certificate")
	}
	return s.serve(ctx, l, TLSHandshake(config, s.handshake))
}

// ServeHandshake is Serve with a handshake of this listener's in place of that of WithHandshake, nil meaning
// none. It has the timeout of WithHandshake. For TLS below it see TLSHandshake.
func (s *Server) ServeHandshake(ctx context.Context, l net.Listener, h Handshake) error {
	if h == nil {
		h = noHandshake
	}
	return s.serve(ctx, l, h)
}

// certified reports whether a configuration may bring a certificate.
func certified(config *tls.Config) bool {
	return config != nil && (len(config.Certificates) > 0 || config.GetCertificate != nil || config.GetConfigForClient != nil)
}

func (s *Server) serve(ctx context.Context, listener net.Listener, shake Handshake) error {
	l := &listening{Listener: listener, closed: make(chan struct{})}
	defer s.unlisten(l)
	defer l.Close()
	if !s.listen(l) {
		return ErrServerClosed
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var pause backoff
	for {
		conn, err := l.Accept()
		switch {
		case err == nil && conn == nil:
			return fmt.Errorf("serialserver: accepting on %v: no connection and no error", l.Addr())
		case err == nil:
			pause = 0
			s.welcome(ctx, conn, shake)
		case s.isDown():
			return ErrServerClosed
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !passes(err):
			return fmt.Errorf("serialserver: accepting on %v: %w", l.Addr(), err)
		default:
			d := pause.next()
			s.Log().Warn("cannot accept", zap.Stringer("local", l.Addr()), zap.Error(err), zap.Duration("retry", d))
			s.sleep(ctx, d)
		}
	}
}

// The waits after an Accept that failed for the moment.
const (
	acceptBackoff    = 5 * time.Millisecond
	acceptBackoffMax = time.Second
)

// backoff is the latest of these waits.
type backoff time.Duration

func (b *backoff) next() time.Duration {
	*b = min(max(2**b, backoff(acceptBackoff)), backoff(acceptBackoffMax))
	return time.Duration(*b)
}

// passes reports whether an Accept that failed with err may succeed later.
func passes(err error) bool {
	var temporary interface{ Temporary() bool }
	if errors.As(err, &temporary) && temporary.Temporary() {
		return true
	}
	return slices.ContainsFunc(passing, func(errno syscall.Errno) bool { return errors.Is(err, errno) })
}

// passing are the errors that say nothing about the listener: of a system that is out of something, of a
// connection that has failed before it was accepted, of its network (accept(2), "Error handling"), and of a
// firewall.
var passing = []syscall.Errno{
	syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
	syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EPROTO,
	syscall.ENETDOWN, syscall.ENOPROTOOPT, syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ENETUNREACH,
	syscall.EPERM,
}

// sleep waits for d, or until nothing is to be accepted any more.
func (s *Server) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.down:
	}
}

// listen notes a listener that a stop is to close. It reports false after a stop.
func (s *Server) listen(l *listening) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isDown() {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) unlisten(l *listening) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
	s.changedLocked()
}

// listening is the listener of a Serve. It is closed once, whoever does it.
type listening struct {
	net.Listener
	closing atomic.Bool
	closed  chan struct{} // closed when that is over
	err     error         // of it; set before
}

// Close closes the listener, of which a panic is an error.
func (l *listening) Close() (err error) {
	if l.closing.Swap(true) {
		<-l.closed
		return l.err
	}
	defer func() {
		l.err = err
		close(l.closed)
	}()
	defer recovered(&err)
	return l.Listener.Close()
}

// isDown reports whether Shutdown or Close was called.
func (s *Server) isDown() bool {
	select {
	case <-s.down:
		return true
	default:
		return false
	}
}
