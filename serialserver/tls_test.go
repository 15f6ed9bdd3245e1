package serialserver_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// connectTLS connects to srv through a Pipe and TLS. The handshake is done by the first request.
func connectTLS(t *testing.T, srv *serialserver.Server, opts ...serialtest.Option) *session {
	t.Helper()
	client, server := serialtest.Pipe(opts...)
	return serve(t, context.Background(), srv,
		tls.Client(client, &tls.Config{InsecureSkipVerify: true}),
		tls.Server(server, &tls.Config{
			Certificates:           []tls.Certificate{certificate(t)},
			SessionTicketsDisabled: true, // they would be written to a client that takes nothing
		}))
}

// certificate returns a new one that nobody has signed.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), // a bubble begins in 2000
		NotAfter:     time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A TLS client that takes nothing is too slow, whatever the write timeout is.
func TestMinimumRateOfTLS(t *testing.T) {
	for _, timeout := range []time.Duration{time.Hour, -1} {
		synctest.Test(t, func(t *testing.T) {
			s := connectTLS(t, newServer(&serialserver.Timeout{Write: timeout}, endlessly))
			s.send(request(testTask, ""))
			require.ErrorContains(t, s.result(), tooSlow)
			require.Equal(t, 2*serialserver.DefaultMinRateWindow, s.lasted, "much was taken in the first window")
		})
	}
}

// Close does not wait for a TLS client to take its close_notify.
func TestCloseOfTLSIsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		s := connectTLS(t, srv, serialtest.Buffer(0))
		s.send(request(emptyTask, ""))
		s.wants(ok(""))
		sleep(time.Second)
		srv.Clients()[0].Close()
		require.ErrorIs(t, s.result(), serialserver.ErrClosed)
		require.Equal(t, time.Second, s.lasted)
	})
}

// A TLS client that half-closes has vanished: close_notify alone says so, which no kernel knows.
func TestVanishedClientOfTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := make(chan error, 1)
		s := connectTLS(t, newServer(nil, func(c ctx, _ client, _ reader) (io.Reader, error) {
			<-c.Done()
			cause <- context.Cause(c)
			return nil, nil
		}))
		s.send(request(testTask, ""))
		s.closeWrite()
		require.Equal(t, serialserver.ErrClientVanished, <-cause)
		require.LessOrEqual(t, time.Since(s.start), time.Second)
		s.wants(ok(""))
	})
}

// An idle TLS session outlives the write timeout, also where its client goes on after that.
func TestIdleTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connectTLS(t, newServer(nil, nil))
		for range 3 {
			s.send(request(echoTask, "hello"))
			s.wants(ok("hello"))
			sleep(serialserver.DefaultWait - time.Second)
		}
	})
}
