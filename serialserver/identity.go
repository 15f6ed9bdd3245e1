package serialserver

import (
	"crypto/tls"
	"crypto/x509"
)

// TLS returns the state of the client's TLS connection, and false where there is none, or its handshake is not
// complete: ServeTLS and WithHandshake complete it before the first task.
func (c *Client) TLS() (tls.ConnectionState, bool) {
	conn, ok := c.conn.NetConn().(interface{ ConnectionState() tls.ConnectionState })
	if !ok {
		return tls.ConnectionState{}, false
	}
	state := conn.ConnectionState()
	return state, state.HandshakeComplete
}

// PeerCertificate returns the certificate by which the client has proved who it is (mutual TLS), and nil if it
// has not: with tls.RequestClientCert and tls.RequireAnyClientCert nobody has verified it.
func (c *Client) PeerCertificate() *x509.Certificate {
	state, ok := c.TLS()
	if !ok || len(state.VerifiedChains) == 0 {
		return nil
	}
	return state.VerifiedChains[0][0]
}
