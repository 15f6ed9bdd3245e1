package serialserver

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/serialkit/serialkit/internal/transport"
)

// DefaultHandshake is how long the handshake of a connection may take.
const DefaultHandshake = 10 * time.Second

// ErrHandshakeTimeout is the cause of a handshake's context when its time is over.
var ErrHandshakeTimeout = errors.New("serialserver: handshake timeout")

// Handshake is what an application does with a connection that Serve has accepted, before its first task:
// it finds out who the client is and agrees on the byte order, nil meaning big-endian. It returns what
// HandleConnection is called with: the context of the connection, which is ctx or derived from it, the
// connection, which is conn or a layer on it, and the args for TaskFuncs. With an error the connection is
// closed, and a line is logged; what the client is to be told of it the Handshake writes itself, and the client is
// listened to for a moment, as after a Goodbye, so that it gets that.
//
// It runs in the connection's goroutine. When its time is over, or the server stops too soon, ctx is done
// and conn is closed. A panic in it is an error.
//
// A layer should have the methods CloseWrite, without which the last answer may be lost to a reset, and NetConn, as
// *tls.Conn has both. The accepted connection is closed in any case.
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

// turnedAwayHandshake is how long the TLS handshake of a client may take that is to be told Goodbye and nothing else.
const turnedAwayHandshake = 2 * time.Second

// shakeHands makes the TLS handshake of a connection that has it still before it. A Disconnect before or meanwhile waits
// for it: only then the client can be told.
func (c *Client) shakeHands() *ending {
	if !c.conn.Unshaken() {
		return nil
	}
	d := c.server.handshakeTimeout
	if leaving := c.beginShaking(); leaving || c.seat.room == refused || c.server.isDown() {
		d = min(d, turnedAwayHandshake)
	}
	err := c.conn.ShakeHands(d)
	c.endShaking()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errors.Join(ErrHandshakeTimeout, err)
	}
	if err != nil {
		return &ending{reason: ClosedRead, err: fmt.Errorf("serialserver: TLS handshake: %w", err)}
	}
	return nil
}

// beginShaking notes that nothing interrupts the connection, and undoes what has. It reports whether the client is
// leaving.
func (c *Client) beginShaking() (leaving bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shaking = true
	c.conn.ResumeRead()
	return c.leaving
}

func (c *Client) endShaking() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shaking = false
	if c.leaving {
		c.conn.InterruptRead()
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
		own, conn, order, args, err := then(ctx, secure)
		if err != nil && ctx.Err() == nil {
			transport.NewConn(secure, transport.Rate{}).CloseLingering()
		}
		return own, conn, order, args, err
	}
}
