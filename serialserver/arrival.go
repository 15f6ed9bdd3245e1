package serialserver

import (
	"context"
	"errors"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/internal/transport"
)

// arrival is a connection that Serve has accepted and that is no client yet.
type arrival struct {
	conn   net.Conn                // as it was accepted; never changes, as the next one
	cancel context.CancelCauseFunc // of its context

	// Server.mu guards what follows.
	seat    seat
	calling int // Shutdowns that its handshake is in
}

// welcome serves a connection that was accepted. Where it comes from is not asked here: a layer that reads a
// PROXY header would wait for that.
func (s *Server) welcome(ctx context.Context, conn net.Conn, shake Handshake) {
	ctx, cancel := context.WithCancelCause(ctx)
	a := &arrival{conn: conn, cancel: cancel}
	s.mu.Lock()
	s.arrivals[a] = struct{}{}
	a.seat = s.admission.seatLocked()
	s.mu.Unlock()
	go s.receive(context.WithValue(ctx, arrivalKey{}, a), a, shake)
}

// receive shakes hands with a client and serves it. A panic of what the application has put into the connection,
// as its layer or its Metrics, ends with the connection.
func (s *Server) receive(ctx context.Context, a *arrival, shake Handshake) {
	defer a.cancel(nil)
	defer s.closeAfterPanic(a)
	var c *Client
	err := errHandshakeGoexit
	defer func() { // also where the handshake ends its goroutine
		if c == nil {
			defer s.leave(a, err) // whatever these do
			defer a.conn.Close()
			s.logHandshake(a, err)
		}
	}()
	if c, err = s.shakeHands(ctx, a, shake); err != nil {
		return
	}
	s.arrive(a, c)
	_ = s.host(c) // which has logged it
}

var errHandshakeGoexit = errors.New("serialserver: handshake ended its goroutine")

// closeAfterPanic, deferred, closes a connection whose serving has panicked.
func (s *Server) closeAfterPanic(a *arrival) {
	v := recover()
	if v == nil {
		return
	}
	s.Log().Error("connection panicked", zap.Error(&PanicError{Value: v}), zap.ByteString("stack", debug.Stack()))
	var err error
	defer recovered(&err)
	a.conn.Close()
}

// shakeHands returns the client, nil with an error if it must not be served.
func (s *Server) shakeHands(ctx context.Context, a *arrival, shake Handshake) (c *Client, err error) {
	end := s.limitHandshake(ctx, a)
	defer end() // also where the handshake does not return
	defer recovered(&err)
	if !s.locate(a) {
		shake = noHandshake
	}
	own, conn, order, args, err := shake(ctx, a.conn)
	if err != nil && ctx.Err() == nil {
		transport.NewConn(a.conn, transport.Rate{}).CloseLingering() // what it was told must not be lost
	}
	if cause := end(); cause != nil || err != nil {
		if conn != nil {
			conn.Close()
		}
		return nil, errors.Join(cause, err)
	}
	a.conn.SetDeadline(time.Time{})
	c = newClient(s, own, conn, order, args)
	c.accepted = a.conn
	return c, nil
}

// limitHandshake begins the time of a handshake. When that is over, or the server is closed, the connection is
// closed; when Serve's context is done, what is blocked ends. The function that it returns ends the time, and
// returns why the connection was closed, nil if it was not.
func (s *Server) limitHandshake(ctx context.Context, a *arrival) (end func() error) {
	timer := time.AfterFunc(s.handshakeTimeout, func() { a.cancel(ErrHandshakeTimeout) })
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		defer s.closeAfterPanic(a)
		if closedFor(ctx) != nil {
			a.conn.Close()
		} else {
			a.conn.SetDeadline(time.Unix(1, 0))
		}
	})
	return sync.OnceValue(func() error {
		if !timer.Stop() {
			a.cancel(ErrHandshakeTimeout) // which it may be about to do
		}
		if !stop() {
			<-done
		}
		return closedFor(ctx)
	})
}

// closedFor returns why the connection of a handshake's context is closed.
func closedFor(ctx context.Context) error {
	if cause := context.Cause(ctx); cause == ErrHandshakeTimeout || cause == ErrServerClosed {
		return cause
	}
	return nil
}

// logHandshake logs why a connection has not become a client.
func (s *Server) logHandshake(a *arrival, err error) {
	fields := []zap.Field{zap.String("remote", addrString(a.conn.RemoteAddr())), zap.Error(err)}
	if p := (*PanicError)(nil); errors.As(err, &p) {
		s.Log().Error("handshake failed", append(fields, zap.ByteString("stack", p.Stack))...)
		return
	}
	s.Log().Warn("handshake failed", fields...)
}

// locate takes the arrival's address into account. It reports false if there is not even room to refuse it. The
// address is asked only where it matters: it may be waited for.
func (s *Server) locate(a *arrival) bool {
	s.mu.Lock()
	room := a.seat.room
	s.mu.Unlock()
	if room != admitted {
		return room != dropped
	}
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
func (s *Server) leave(a *arrival, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.arrivals, a)
	s.admission.leaveLocked(a.seat)
	switch {
	case !s.isDown():
	case errors.Is(err, ErrServerClosed):
		s.tally.Cut++
	default:
		s.tally.Failed++
	}
	s.changedLocked()
}
