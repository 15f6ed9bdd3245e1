package serialserver

import (
	"crypto/tls"
	"crypto/x509"
)

// TLS returns the state of the client's TLS connection, and false where there is none. Its handshake is complete before
// the first task. Layers on it are looked through that have the method NetConn() net.Conn, as *tls.Conn has, up to
// seven.
func (c *Client) TLS() (tls.ConnectionState, bool) { return c.conn.TLSState() }

// PeerCertificate returns the certificate by which the client has proved who it is (mutual TLS), and nil if it
// has not: with tls.RequestClientCert and tls.RequireAnyClientCert nobody has verified it.
func (c *Client) PeerCertificate() *x509.Certificate {
	state, ok := c.TLS()
	if !ok || len(state.VerifiedChains) == 0 {
		return nil
	}
	return state.VerifiedChains[0][0]
}
