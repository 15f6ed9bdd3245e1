package serialserver

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"time"

	"go.uber.org/zap"
)

// DefaultHandshake is how long the handshake of a connection may take.
const DefaultHandshake = 10 * time.Second

// ErrHandshakeTimeout is the cause of a handshake's context when its time is over.
var ErrHandshakeTimeout = errors.New("serialserver: handshake timeout")

// Handshake is what an application does with a connection that Serve has accepted, before its first task:
// it finds out who the client is and agrees on the byte order, nil meaning big-endian. It returns what
// HandleConnection is called with: the context of the connection, which is ctx or derived from it, the
// connection, which is conn or a layer on it, and the args for TaskFuncs. With an error the connection is
// closed, and a line is logged; what the client is to be told of it the Handshake writes itself.
//
// It runs in the connection's goroutine. When its time is over, or the server stops too soon, ctx is done
// and reads and writes of conn fail. A panic in it is an error.
type Handshake func(ctx context.Context, conn net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error)

// WithHandshake sets the handshake of Serve's connections, and how long it may take, with TLS: 0 or less
// means DefaultHandshake.
func WithHandshake(h Handshake, timeout time.Duration) Option {
	return func(s *Server) {
		s.handshake, s.handshakeTimeout = h, timeout
		if h == nil {
			s.handshake = noHandshake
		}
		if timeout <= 0 {
			s.handshakeTimeout = DefaultHandshake
		}
	}
}

func noHandshake(ctx context.Context, conn net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
	return ctx, conn, nil, nil, nil
}

// TLSHandshake is a TLS handshake, and then another one on the *tls.Conn, nil meaning none.
func TLSHandshake(config *tls.Config, then Handshake) Handshake {
	if then == nil {
		then = noHandshake
	}
	return func(ctx context.Context, conn net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
		secure := tls.Server(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, nil, nil, nil, err
		}
		return then(ctx, secure)
	}
}

// arrival is a connection in its handshake.
type arrival struct {
	conn net.Conn // as it was accepted
	seat seat     // Server.mu guards it
}

// welcome serves a connection that was accepted. Where it comes from is not asked here: a layer that reads a
// PROXY header would wait for that.
func (s *Server) welcome(ctx context.Context, conn net.Conn, shake Handshake) {
	a := &arrival{conn: conn}
	s.mu.Lock()
	s.arrivals[a] = struct{}{}
	a.seat = s.admission.seatLocked()
	s.mu.Unlock()
	go s.receive(ctx, a, shake)
}

// locate takes the arrival's address into account. It reports false if there is not even room to refuse it.
func (s *Server) locate(a *arrival) bool {
	host := hostOf(a.conn.RemoteAddr())
	s.mu.Lock()
	defer s.mu.Unlock()
	a.seat = s.admission.seatAtLocked(a.seat, host)
	return a.seat.room != dropped
}

// arrive makes an arrival the client c.
func (s *Server) arrive(a *arrival, c *Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.arrivals, a)
	c.seat = a.seat
	s.enterLocked(c)
}

// leave forgets an arrival that has not become a client.
func (s *Server) leave(a *arrival) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.arrivals, a)
	s.admission.leaveLocked(a.seat)
	s.changedLocked()
}

// receive shakes hands with a client and serves it.
func (s *Server) receive(ctx context.Context, a *arrival, shake Handshake) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var c *Client
	defer func() { // also where the handshake ends its goroutine
		if c == nil {
			a.conn.Close()
			s.leave(a)
		}
	}()
	c, err := s.shakeHands(ctx, cancel, a, shake)
	if err != nil {
		s.Log().Warn("handshake failed", zap.String("remote", addrString(a.conn.RemoteAddr())), zap.Error(err))
		return
	}
	s.arrive(a, c)
	_ = s.host(c) // which has logged it
}

// shakeHands returns the client, nil with an error if it must not be served.
func (s *Server) shakeHands(ctx context.Context, cancel context.CancelCauseFunc, a *arrival, shake Handshake) (c *Client, err error) {
	defer recovered(&err)
	timer := time.AfterFunc(s.handshakeTimeout, func() { cancel(ErrHandshakeTimeout) })
	defer timer.Stop()
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		a.conn.SetDeadline(time.Unix(1, 0))
		close(interrupted)
	})
	if !s.locate(a) {
		shake = noHandshake
	}
	own, conn, order, args, err := shake(ctx, a.conn)
	if !stop() {
		<-interrupted
	}
	cause := context.Cause(ctx)
	if err != nil || cause == ErrHandshakeTimeout {
		return nil, errors.Join(cause, err)
	}
	a.conn.SetDeadline(time.Time{})
	return newClient(s, own, conn, order, args), nil
}
