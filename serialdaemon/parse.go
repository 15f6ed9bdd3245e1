package serialdaemon

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// The scheme that is no network, and the parameters of endpoints' URLs.
const (
	schemeTLS  = "tls"
	paramMode  = "mode"
	paramOwner = "owner"
	paramGroup = "group"
	paramCert  = "cert"
	paramKey   = "key"
	paramCA    = "ca"
)

// scheme is a kind of endpoint.
type scheme struct {
	params []string
	// parse reads all but the parameters.
	parse func(*Endpoint, *url.URL) error
}

var schemes = map[string]scheme{
	NetworkTCP:     {nil, parseTCP},
	schemeTLS:      {[]string{paramCert, paramKey, paramCA}, parseTCP},
	NetworkUnix:    {[]string{paramMode, paramOwner, paramGroup}, parseUnix},
	NetworkSystemd: {[]string{paramCert, paramKey, paramCA}, parseSystemd},
}

// ParseEndpoint reads the URL of an endpoint:
//
//	tcp://127.0.0.1:7070                                 port 0: any that is free
//	tls://:7070?cert=/etc/x/cert.pem&key=/etc/x/key.pem  and &ca=/etc/x/clients.pem, for mutual TLS
//	unix:///run/x.sock?mode=0660&owner=x&group=web       each parameter may be left out
//	systemd:web                                          the sockets that systemd has named web; cert, key and
//	                                                     ca as above
//
// TLS is at least 1.3. Reserved characters in a path or a parameter are escaped as in any URL. An error is an
// *EndpointError of the kind ErrUsage, in which there may be an *UnknownError.
func ParseEndpoint(rawURL string) (*Endpoint, error) {
	e := &Endpoint{}
	if err := e.parse(rawURL); err != nil {
		return nil, &EndpointError{Endpoint: rawURL, Kind: ErrUsage, Err: err}
	}
	return e, nil
}

// ParseEndpoints reads several URLs. The errors of all are joined.
func ParseEndpoints(rawURLs ...string) ([]*Endpoint, error) {
	var endpoints []*Endpoint
	var errs []error
	for _, raw := range rawURLs {
		e, err := ParseEndpoint(raw)
		endpoints, errs = append(endpoints, e), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return endpoints, nil
}

func (e *Endpoint) parse(rawURL string) error {
	u, err := url.Parse(rawURL)
	if err != nil {
		var reason *url.Error // which would repeat the URL
		if errors.As(err, &reason) {
			err = reason.Err
		}
		if !strings.Contains(rawURL, "://") {
			err = fmt.Errorf("%w; an endpoint is a URL, such as tcp://%s", err, rawURL)
		}
		return err
	}
	s, ok := schemes[u.Scheme]
	switch {
	case u.Scheme == "":
		return errors.New("no scheme, such as tcp://")
	case !ok:
		return &UnknownError{What: "scheme", Name: u.Scheme, Known: slices.Sorted(maps.Keys(schemes))}
	case u.User != nil:
		return errors.New("an endpoint has no user")
	case u.Fragment != "":
		return errors.New("an endpoint has no fragment: write # as %23")
	}
	if err := s.parse(e, u); err != nil {
		return err
	}
	values, err := parameters(u.RawQuery, s.params)
	if err != nil {
		return err
	}
	return e.set(values, u.Scheme == schemeTLS)
}

// parameters reads a query with the known parameters.
func parameters(query string, known []string) (map[string]string, error) {
	all, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	values := make(map[string]string, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch v := all[name]; {
		case !slices.Contains(known, name):
			return nil, &UnknownError{What: "parameter", Name: name, Known: known}
		case len(v) > 1:
			return nil, fmt.Errorf("parameter %s is given %d times", name, len(v))
		case v[0] == "" || strings.ContainsRune(v[0], 0):
			return nil, fmt.Errorf("parameter %s is empty, or has a zero byte", name)
		default:
			values[name] = v[0]
		}
	}
	return values, nil
}

// set takes the parameters over.
func (e *Endpoint) set(values map[string]string, secure bool) error {
	e.Owner, e.Group = values[paramOwner], values[paramGroup]
	if mode, ok := values[paramMode]; ok {
		bits, err := strconv.ParseUint(mode, 8, 32)
		if err != nil || bits == 0 || fs.FileMode(bits)&^fs.ModePerm != 0 {
			return fmt.Errorf("mode %q is not an octal number from 1 to 0777", mode)
		}
		e.Mode = fs.FileMode(bits)
	}
	files := TLSFiles{values[paramCert], values[paramKey], values[paramCA]}
	if !secure && files == (TLSFiles{}) {
		return nil
	}
	if files.Cert == "" || files.Key == "" {
		return errors.New("TLS needs both cert and key")
	}
	e.TLS = &files
	return nil
}

func parseTCP(e *Endpoint, u *url.URL) error {
	e.Network, e.Address = NetworkTCP, u.Host
	switch {
	case u.Opaque != "" || u.Host == "":
		return fmt.Errorf("want %s://host:port", u.Scheme)
	case u.Path != "" && u.Path != "/":
		return fmt.Errorf("want %s://host:port, without the path %s", u.Scheme, u.Path)
	}
	_, port, err := net.SplitHostPort(u.Host)
	if err != nil {
		return err
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("port %q is not a number from 0 to 65535", port)
	}
	return nil
}

// maxUnixPath is how long the path of a unix socket may be, in bytes: the system has a field of one more.
const maxUnixPath = len(syscall.RawSockaddrUnix{}.Path) - 1

func parseUnix(e *Endpoint, u *url.URL) error {
	e.Network, e.Address = NetworkUnix, u.Path
	switch {
	case u.Opaque != "" || u.Host != "" || !path.IsAbs(u.Path):
		return errors.New("want the absolute path of a socket file, as in unix:///run/x.sock")
	case strings.HasSuffix(u.Path, "/"):
		return errors.New("the path is that of a directory")
	case strings.ContainsRune(u.Path, 0):
		return errors.New("the path has a zero byte")
	case len(u.Path) > maxUnixPath:
		return fmt.Errorf("the path has %d bytes, the system allows %d", len(u.Path), maxUnixPath)
	}
	return nil
}

func parseSystemd(e *Endpoint, u *url.URL) error {
	name, err := url.PathUnescape(u.Opaque)
	if err != nil {
		return err
	}
	e.Network, e.Address = NetworkSystemd, name
	if name == "" || u.Host != "" || u.Path != "" || strings.ContainsRune(name, ':') {
		return errors.New("want the name of a socket, as in systemd:web")
	}
	return nil
}
