package serialdaemon_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialdaemon"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

// serials is the number of the latest certificate of the tests.
var serials atomic.Int64

func nextSerial() *big.Int { return big.NewInt(serials.Add(1)) }

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: nextSerial(), Subject: pkix.Name{CommonName: name},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// pool has the authority alone.
func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// issue returns a new certificate for localhost and its key.
func (a *authority) issue(t *testing.T, usage x509.ExtKeyUsage) (cert, key []byte) {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: nextSerial(), DNSNames: []string{"localhost"},
		ExtKeyUsage: []x509.ExtKeyUsage{usage}, KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &own.PublicKey, a.key)
	require.NoError(t, err)
	ownDER, err := x509.MarshalPKCS8PrivateKey(own)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: ownDER})
}

// client returns a certificate for a client.
func (a *authority) client(t *testing.T) tls.Certificate {
	t.Helper()
	pair, err := tls.X509KeyPair(a.issue(t, x509.ExtKeyUsageClientAuth))
	require.NoError(t, err)
	return pair
}

// write puts a new server certificate into the files of dir.
func (a *authority) write(t *testing.T, dir string) serialdaemon.TLSFiles {
	t.Helper()
	cert, key := a.issue(t, x509.ExtKeyUsageServerAuth)
	files := serialdaemon.TLSFiles{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	put(t, files.Cert, cert)
	put(t, files.Key, key)
	return files
}

func put(t *testing.T, path string, content []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, content, 0o600))
}

// secureGroup runs a server at a TLS endpoint with these files, on a real socket. Nothing watches the files
// unless set says so. It returns the address; the group is closed at the end.
func secureGroup(t *testing.T, g *serialdaemon.Group, files serialdaemon.TLSFiles) net.Addr {
	t.Helper()
	e := &serialdaemon.Endpoint{Network: "tcp", Address: "127.0.0.1:0", TLS: &files}
	addrs, _, err := g.Start(context.Background(), newServer(), e)
	require.NoError(t, err)
	t.Cleanup(func() { require.Empty(t, all(g.Close())) })
	return addrs[0]
}

// dialTLS connects, and returns what the connection is, with an error if a first call fails: the server
// refuses a client's certificate after the handshake.
func dialTLS(t *testing.T, addr net.Addr, config *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	conn, err := tls.Dial("tcp", addr.String(), config)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	c := serialclient.New(conn, nil)
	defer c.Close()
	return conn.ConnectionState(), c.KeepAlive(context.Background()) // which reads the session tickets, too
}

func TestTLSEndpoint(t *testing.T) {
	ca := newAuthority(t, "ca")
	var g serialdaemon.Group
	g.Unheard()
	addr := secureGroup(t, &g, ca.write(t, t.TempDir()))
	state, err := dialTLS(t, addr, &tls.Config{RootCAs: ca.pool(), ServerName: "localhost"})
	require.NoError(t, err)
	require.EqualValues(t, tls.VersionTLS13, state.Version)
	_, err = dialTLS(t, addr, &tls.Config{RootCAs: ca.pool(), ServerName: "localhost", MaxVersion: tls.VersionTLS12})
	require.ErrorContains(t, err, "protocol version not supported")
}

// TLS of the application's own, and a handshake behind it.
func TestTLSConfigAndHandshake(t *testing.T) {
	ca := newAuthority(t, "ca")
	pair, err := tls.X509KeyPair(ca.issue(t, x509.ExtKeyUsageServerAuth))
	require.NoError(t, err)
	var g serialdaemon.Group
	own := &serialdaemon.Endpoint{Network: "tcp", Address: "127.0.0.1:0", TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}}}
	refusing := *own
	refusing.Handshake = refuse
	addrs, _, err := g.Start(context.Background(), newServer(), own, &refusing)
	require.NoError(t, err)
	require.Contains(t, own.String(), "tls://")
	config := &tls.Config{RootCAs: ca.pool(), ServerName: "localhost"}
	_, err = dialTLS(t, addrs[0], config)
	require.NoError(t, err)
	_, err = dialTLS(t, addrs[1], config)
	require.Error(t, err)
	require.Empty(t, all(g.Close()))
	both := *own
	both.TLS = &serialdaemon.TLSFiles{}
	_, _, err = g.Start(context.Background(), newServer(), &both)
	require.ErrorIs(t, err, serialdaemon.ErrUsage)
}

func TestCertificatesThatCannotBeLoaded(t *testing.T) {
	ca, dir := newAuthority(t, "ca"), t.TempDir()
	good := ca.write(t, dir)
	_, other := ca.issue(t, x509.ExtKeyUsageServerAuth)
	put(t, filepath.Join(dir, "other.pem"), other)
	put(t, filepath.Join(dir, "empty.pem"), nil)
	for says, change := range map[string]func(*serialdaemon.TLSFiles){
		"no such file":                  func(f *serialdaemon.TLSFiles) { f.Cert += ".not" },
		"private key does not match":    func(f *serialdaemon.TLSFiles) { f.Key = filepath.Join(dir, "other.pem") },
		"failed to find any PEM data":   func(f *serialdaemon.TLSFiles) { f.Cert = filepath.Join(dir, "empty.pem") },
		"no certificate in the CA file": func(f *serialdaemon.TLSFiles) { f.CA = filepath.Join(dir, "empty.pem") },
	} {
		files := good
		change(&files)
		_, err := serialdaemon.LoadCertificates(files)
		require.ErrorContains(t, err, says)
	}
	c, err := serialdaemon.LoadCertificates(good)
	require.NoError(t, err)
	changed, err := c.Reload()
	require.NoError(t, err)
	require.False(t, changed)
}

// mutual is a daemon that wants certificates of some authorities from its clients.
type mutual struct {
	*serialdaemon.Certificates
	addr    net.Addr
	caFile  string
	servers *authority
}

func newMutual(t *testing.T, clients ...*authority) *mutual {
	t.Helper()
	dir := t.TempDir()
	m := &mutual{servers: newAuthority(t, "servers"), caFile: filepath.Join(dir, "ca.pem")}
	files := m.servers.write(t, dir)
	files.CA = m.caFile
	m.trust(t, clients...)
	var err error
	m.Certificates, err = serialdaemon.LoadCertificates(files)
	require.NoError(t, err)
	g := &serialdaemon.Group{}
	e := &serialdaemon.Endpoint{Network: "tcp", Address: "127.0.0.1:0", TLSConfig: m.Config()}
	addrs, _, err := g.Start(context.Background(), newServer(), e)
	require.NoError(t, err)
	t.Cleanup(func() { require.Empty(t, all(g.Close())) })
	m.addr = addrs[0]
	return m
}

// trust writes the CA file.
func (m *mutual) trust(t *testing.T, clients ...*authority) {
	t.Helper()
	var bundle []byte
	for _, a := range clients {
		bundle = append(bundle, a.pem...)
	}
	put(t, m.caFile, bundle)
}

// config is that of a client.
func (m *mutual) config(certificates ...tls.Certificate) *tls.Config {
	return &tls.Config{RootCAs: m.servers.pool(), ServerName: "localhost", Certificates: certificates,
		ClientSessionCache: tls.NewLRUClientSessionCache(8)}
}

func TestMutualTLS(t *testing.T) {
	one, two := newAuthority(t, "one"), newAuthority(t, "two")
	m := newMutual(t, one)
	_, err := dialTLS(t, m.addr, m.config(one.client(t)))
	require.NoError(t, err)
	_, err = dialTLS(t, m.addr, m.config(two.client(t)))
	require.Error(t, err)
	_, err = dialTLS(t, m.addr, m.config())
	require.Error(t, err)
	server, err := tls.X509KeyPair(one.issue(t, x509.ExtKeyUsageServerAuth))
	require.NoError(t, err)
	_, err = dialTLS(t, m.addr, m.config(server))
	require.Error(t, err, "a server's certificate is none for a client")
}

// A CA that is removed has no clients any more, not even those that resume a session.
func TestRevokedCA(t *testing.T) {
	kept, revoked := newAuthority(t, "kept"), newAuthority(t, "revoked")
	m := newMutual(t, kept, revoked)
	good, bad := m.config(kept.client(t)), m.config(revoked.client(t))
	for _, config := range []*tls.Config{good, bad} {
		state, err := dialTLS(t, m.addr, config)
		require.NoError(t, err)
		require.False(t, state.DidResume)
		state, err = dialTLS(t, m.addr, config)
		require.NoError(t, err)
		require.True(t, state.DidResume)
	}
	m.trust(t, kept)
	changed, err := m.Reload()
	require.NoError(t, err)
	require.True(t, changed)
	_, err = dialTLS(t, m.addr, bad)
	require.Error(t, err)
	state, err := dialTLS(t, m.addr, good)
	require.NoError(t, err)
	require.True(t, state.DidResume, "others' sessions go on")

	m.trust(t) // which is what a file looks like that is just being written
	_, err = m.Reload()
	require.ErrorContains(t, err, "no certificate in the CA file")
	_, err = dialTLS(t, m.addr, good)
	require.NoError(t, err)
	_, err = dialTLS(t, m.addr, bad)
	require.Error(t, err)
}

// A handshake that began before the CA was removed does not end well after it.
func TestCAThatIsRevokedWithinAHandshake(t *testing.T) {
	kept, revoked := newAuthority(t, "kept"), newAuthority(t, "revoked")
	for _, own := range []*authority{kept, revoked} {
		m := newMutual(t, kept, revoked)
		cert := own.client(t)
		config := m.config()
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			m.trust(t, kept)
			_, err := m.Reload()
			return &cert, err
		}
		_, err := dialTLS(t, m.addr, config)
		if own == kept {
			require.NoError(t, err)
			continue
		}
		require.Error(t, err)
	}
}
