package transport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sockets are the kinds of real connections. Both ends are closed with t.
var sockets = map[string]func(testing.TB) (own, peer net.Conn){
	"tcp":  tcpPair,
	"unix": unixPair,
	"tls":  tlsPair,
}

func tcpPair(t testing.TB) (own, peer net.Conn) {
	return socketPair(t, "tcp", "127.0.0.1:0")
}

func unixPair(t testing.TB) (own, peer net.Conn) {
	return socketPair(t, "unix", filepath.Join(t.TempDir(), "s"))
}

func socketPair(t testing.TB, network, address string) (own, peer net.Conn) {
	t.Helper()
	listener, err := net.Listen(network, address)
	require.NoError(t, err)
	defer listener.Close()
	peer, err = net.Dial(network, listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { peer.Close() })
	own, err = listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { own.Close() })
	return own, peer
}

// tlsPair returns both ends of a TLS connection over TCP, with the handshake done.
func tlsPair(t testing.TB) (own, peer net.Conn) {
	t.Helper()
	ownTCP, peerTCP := tcpPair(t)
	server, client := tlsOver(t, ownTCP, peerTCP)
	return server, client
}

// tlsOver makes the handshake over both ends of a connection.
func tlsOver(t testing.TB, own, peer net.Conn) (server, client *tls.Conn) {
	t.Helper()
	server = tls.Server(own, &tls.Config{Certificates: []tls.Certificate{certificate(t)}})
	client = tls.Client(peer, &tls.Config{InsecureSkipVerify: true})
	shaken := run(only(client.Handshake))
	require.NoError(t, server.Handshake())
	require.NoError(t, (<-shaken).err)
	return server, client
}

func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
