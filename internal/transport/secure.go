package transport

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// secured is a TLS connection, as *tls.Conn is.
type secured interface {
	ConnectionState() tls.ConnectionState
}

// securedOf returns the TLS connection that conn is, or that is below it; nil: there is none.
func securedOf(conn net.Conn) secured {
	for range layersDeep {
		if s, ok := conn.(secured); ok {
			return s
		}
		layer, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = layer.NetConn()
	}
	return nil
}

// TLSState returns the state of the TLS connection that the connection is, or that is below it, and false where there
// is none, or its handshake is not complete.
func (c *Conn) TLSState() (tls.ConnectionState, bool) {
	if c.secured == nil {
		return tls.ConnectionState{}, false
	}
	state := c.secured.ConnectionState()
	return state, state.HandshakeComplete
}

// handshaker is a TLS connection that can be asked for its handshake.
type handshaker interface {
	HandshakeContext(context.Context) error
}

// Unshaken reports whether the connection has a TLS handshake before it.
func (c *Conn) Unshaken() bool {
	_, ok := c.secured.(handshaker)
	if !ok {
		return false
	}
	_, complete := c.TLSState()
	return !complete
}

// ShakeHands makes the TLS handshake that an Unshaken connection has before it, within d. Without it the first read
// or write would, but crypto/tls takes no handshake up again that a deadline has interrupted. The caller owns both
// halves.
func (c *Conn) ShakeHands(d time.Duration) error {
	until := time.Now().Add(d)
	c.in.move(until)
	c.out.move(until)
	return c.secured.(handshaker).HandshakeContext(context.Background())
}
