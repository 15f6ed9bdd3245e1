package serialdaemon

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// errNoCA is a CA file without a certificate, and errHalfCA one that ends in the middle of one. They are taken for one
// that is just being written.
var (
	errNoCA   = errors.New("serialdaemon: no certificate in the CA file")
	errHalfCA = errors.New("serialdaemon: the CA file cannot be read as a whole")
)

// Certificates are those of a TLS endpoint, as they were last loaded from its files. Its methods are safe for
// concurrent use.
type Certificates struct {
	files   TLSFiles
	current atomic.Pointer[loaded]
	loading sync.Mutex // one Reload at a time
}

// loaded is what the files had. It never changes.
type loaded struct {
	cert, key, ca []byte
	config        *tls.Config
	clients       *x509.CertPool // nil: clients need no certificate
}

// LoadCertificates loads the files. Nothing watches them: see Reload. Endpoints of a Group do that by
// themselves.
func LoadCertificates(files TLSFiles) (*Certificates, error) {
	c := &Certificates{files: files}
	if _, err := c.Reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// Reload loads the files again, and reports whether they had changed. Handshakes that begin later use what they
// have now. After an error, for instance because the key is not the certificate's, the former ones stay.
func (c *Certificates) Reload() (changed bool, err error) {
	c.loading.Lock()
	defer c.loading.Unlock()
	next, err := c.read()
	if err != nil {
		return false, err
	}
	if now := c.current.Load(); now != nil && now.same(next) {
		return false, nil
	}
	if err := c.parse(next); err != nil {
		return false, err
	}
	c.current.Store(next)
	return true, nil
}

func (c *Certificates) read() (*loaded, error) {
	l := &loaded{}
	for _, f := range []struct {
		name string
		to   *[]byte
	}{{c.files.Cert, &l.cert}, {c.files.Key, &l.key}, {c.files.CA, &l.ca}} {
		if f.name == "" {
			continue
		}
		content, err := os.ReadFile(f.name)
		if err != nil {
			return nil, err
		}
		*f.to = content
	}
	return l, nil
}

func (l *loaded) same(other *loaded) bool {
	return bytes.Equal(l.cert, other.cert) && bytes.Equal(l.key, other.key) && bytes.Equal(l.ca, other.ca)
}

func (c *Certificates) parse(l *loaded) error {
	pair, err := tls.X509KeyPair(l.cert, l.key)
	if err != nil {
		return fmt.Errorf("certificate %s and key %s: %w", c.files.Cert, c.files.Key, err)
	}
	l.config = &tls.Config{
		MinVersion:       tls.VersionTLS13,
		Certificates:     []tls.Certificate{pair},
		VerifyConnection: c.verify,
	}
	if c.files.CA == "" {
		return nil
	}
	if l.clients, err = poolOf(l.ca); err != nil {
		return fmt.Errorf("%s: %w", c.files.CA, err)
	}
	l.config.ClientAuth, l.config.ClientCAs = tls.RequireAndVerifyClientCert, l.clients
	return nil
}

// poolOf returns the certificates of a CA file. One that cannot be read as a whole, as while it is being written, is an
// error: a CA must not be dropped unnoticed.
func poolOf(content []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	blocks, found := 0, false
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		blocks++
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		pool.AddCert(certificate)
		found = true
	}
	switch {
	case bytes.Count(content, []byte("-----BEGIN ")) != blocks:
		return nil, errHalfCA
	case !found:
		return nil, errNoCA
	}
	return pool, nil
}

// Config returns a configuration for a TLS server, TLS 1.3 and later, that uses for each handshake what was last
// loaded. Sessions may be resumed across a Reload, but not by a client whose CA is gone by then.
func (c *Certificates) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return c.current.Load().config, nil
		},
	}
}

// verify asks for each connection, of a resumed session too, whether those who may sign clients' certificates
// now have signed this one. The handshake may have begun with others.
func (c *Certificates) verify(state tls.ConnectionState) error {
	clients := c.current.Load().clients
	if clients == nil {
		return nil
	}
	if len(state.PeerCertificates) == 0 {
		return errors.New("serialdaemon: the client has no certificate")
	}
	intermediates := x509.NewCertPool()
	for _, cert := range state.PeerCertificates[1:] {
		intermediates.AddCert(cert)
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{
		Roots:         clients,
		Intermediates: intermediates,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err
}
