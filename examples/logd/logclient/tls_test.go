package logclient_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient"
)

// certificate makes one for 127.0.0.1 that signs itself, and the pool with it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// Options.TLS is used, and a certificate that it does not trust is refused: nothing is sent.
func TestTLS(t *testing.T) {
	f := newFake(t)
	cert, pool := certificate(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() {
		served <- f.server.ServeTLS(context.Background(), l, &tls.Config{Certificates: []tls.Certificate{cert}})
	}()
	defer func() {
		f.stop()
		<-served
	}()
	o := logclient.Options{Address: "tls://" + l.Addr().String(), TLS: &tls.Config{RootCAs: pool}}
	c, err := logclient.New(o)
	require.NoError(t, err)
	want := logAll(t, c, 0, 10)
	require.NoError(t, c.Sync(context.Background()))
	require.Equal(t, want, f.messages())
	finish(t, c)

	for name, config := range map[string]*tls.Config{"others": {RootCAs: x509.NewCertPool()}, "the system's": nil} {
		troubles := make(chan logclient.Trouble, 1)
		o.TLS = config
		o.OnError = func(trouble logclient.Trouble) { troubles <- trouble }
		c, err = logclient.New(o)
		require.NoError(t, err)
		logAll(t, c, 0, 10)
		trouble := <-troubles
		require.Equal(t, logclient.Unreachable, trouble.Kind, name)
		var unknown x509.UnknownAuthorityError
		require.ErrorAs(t, trouble.Err, &unknown, name)
		kill(c)
	}
	require.Equal(t, want, f.messages())
}
