package serialserver_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
)

// A client that has proved who it is has a certificate, one that only says so has none.
func TestPeerCertificate(t *testing.T) {
	own := certificate(t)
	known := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(own.Certificate[0])
	require.NoError(t, err)
	known.AddCert(leaf)
	for name, test := range map[string]struct {
		auth   tls.ClientAuthType
		offers []tls.Certificate
		known  bool
	}{
		"proved":    {tls.RequireAndVerifyClientCert, []tls.Certificate{own}, true},
		"if given":  {tls.VerifyClientCertIfGiven, []tls.Certificate{own}, true},
		"not given": {tls.VerifyClientCertIfGiven, nil, false},
		"claimed":   {tls.RequireAnyClientCert, []tls.Certificate{own}, false},
		"not asked": {tls.NoClientCert, []tls.Certificate{own}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, func(_ ctx, c client, in reader) (io.Reader, error) {
					state, ok := c.TLS()
					require.True(t, ok)
					require.Equal(t, uint16(tls.VersionTLS13), state.Version)
					require.Equal(t, test.known, c.PeerCertificate() != nil)
					if test.known {
						require.True(t, leaf.Equal(c.PeerCertificate()))
					}
					return in, nil
				})
				l := newListener()
				returned := make(chan error, 1)
				go func() {
					returned <- srv.ServeTLS(context.Background(), l, &tls.Config{
						Certificates: []tls.Certificate{certificate(t)}, ClientAuth: test.auth, ClientCAs: known,
					})
				}()
				s := sessionOf(t, tls.Client(l.dial(t).Conn, &tls.Config{InsecureSkipVerify: true, Certificates: test.offers}))
				s.send(request(testTask, "x"))
				s.wants(ok("x"))
				srv.Close()
				require.Equal(t, serialserver.ErrServerClosed, <-returned)
			})
		})
	}
}

func TestNoTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withTask(t, t.Context(), func(_ ctx, c client) {
			_, ok := c.TLS()
			require.False(t, ok)
			require.Nil(t, c.PeerCertificate())
		})
	})
}
