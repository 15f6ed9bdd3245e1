package serialdaemon

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"net"
	"net/url"

	"github.com/serialkit/serialkit/serialserver"
)

// The networks of an Endpoint.
const (
	NetworkTCP     = "tcp"
	NetworkUnix    = "unix"
	NetworkSystemd = "systemd"
)

// DefaultMode is the mode of a unix socket's file: its owner alone may connect.
const DefaultMode fs.FileMode = 0o600

// Endpoint is where a server listens, and how connections begin there. ParseEndpoint makes one of a URL; its
// fields may be set before it is used, and not be changed from then on.
type Endpoint struct {
	// Network is NetworkTCP, NetworkUnix or NetworkSystemd.
	Network string
	// Address is host:port, the absolute path of a socket file, or the FileDescriptorName of a socket unit.
	Address string

	// Mode is that of a unix socket's file, 0 meaning DefaultMode. Only permission bits are allowed.
	Mode fs.FileMode
	// Owner and Group of the file, by name or number; "" leaves them as they are.
	Owner, Group string

	// TLS are the files of a TLS endpoint, nil meaning none.
	TLS *TLSFiles
	// TLSConfig is for TLS of the application's own making, in place of TLS. It is used as it is.
	TLSConfig *tls.Config
	// Handshake is that of this endpoint's connections, behind TLS, in place of the server's; nil means
	// the server's. It has the timeout of serialserver.WithHandshake.
	Handshake serialserver.Handshake

	// Listener is served in place of one that is bound by Network and Address, which only name it then.
	// It is closed when the server stops, and also when Start fails.
	Listener net.Listener
	// Check, if it is not nil, is asked about the address of each listener when it is bound, before anything is served:
	// systemd's sockets, and names, have addresses that are not known before. With an error Start fails, as
	// with an endpoint that cannot be bound: it is behind the EndpointError, whose Kind is ErrListen.
	Check func(addr net.Addr) error
	// Wrap, if it is not nil, makes of each listener the one that is served, below TLS and the handshake: the
	// place for a PROXY protocol of trusted networks. The Close of what it returns must close what it got.
	Wrap func(net.Listener) net.Listener
}

// TLSFiles are the files, in PEM, of a TLS endpoint. They are loaded again when they change.
type TLSFiles struct {
	// Cert has the certificate and the intermediate ones behind it, Key its key. Both may be one file.
	Cert, Key string
	// CA has the certificates of those who may sign clients' certificates, which are demanded then; ""
	// means that clients need none.
	CA string
}

// String returns the endpoint's URL, which ParseEndpoint understands.
func (e *Endpoint) String() string {
	scheme, query := e.Network, url.Values{}
	if e.Network == NetworkTCP && (e.TLS != nil || e.TLSConfig != nil) {
		scheme = schemeTLS
	}
	set := func(name, value string) {
		if value != "" {
			query.Set(name, value)
		}
	}
	if e.Mode != 0 && e.Mode != DefaultMode {
		set(paramMode, fmt.Sprintf("%04o", uint32(e.Mode)))
	}
	set(paramOwner, e.Owner)
	set(paramGroup, e.Group)
	if e.TLS != nil {
		set(paramCert, e.TLS.Cert)
		set(paramKey, e.TLS.Key)
		set(paramCA, e.TLS.CA)
	}
	u := url.URL{Scheme: scheme, RawQuery: query.Encode()}
	switch e.Network {
	case NetworkUnix:
		u.Path = e.Address
		return unixURL(u)
	case NetworkSystemd:
		u.Opaque = url.PathEscape(e.Address)
	default:
		u.Host = e.Address
	}
	return u.String()
}

// unixURL writes the empty host of a file's URL.
func unixURL(u url.URL) string {
	text := u.Scheme + "://" + u.EscapedPath()
	if u.RawQuery != "" {
		text += "?" + u.RawQuery
	}
	return text
}
