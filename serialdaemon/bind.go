package serialdaemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"

	"github.com/serialkit/serialkit/serialserver"
)

// bound is an endpoint that is bound.
type bound struct {
	endpoint     *Endpoint
	listeners    []net.Listener // more than one for some sockets of systemd's
	own          []net.Listener // those that the next process may have: what is below the layers of Wrap
	certificates *Certificates  // of the endpoint's TLS files; nil if it has none
}

// sources are where listeners come from that are not bound.
type sources struct {
	systemd   *activated
	inherited func(*Endpoint) []net.Listener // nil: from no former process
}

// bind binds an endpoint.
func (e *Endpoint) bind(ctx context.Context, from sources) (*bound, error) {
	b := &bound{endpoint: e}
	err := e.check()
	if err != nil {
		return nil, &EndpointError{Endpoint: e.String(), Kind: ErrUsage, Err: err}
	}
	if e.TLS != nil {
		b.certificates, err = LoadCertificates(*e.TLS)
	}
	if err == nil {
		b.listeners, err = e.listen(ctx, from)
	}
	if err != nil {
		if e.Listener != nil {
			err = errors.Join(err, e.Listener.Close())
		}
		return nil, &EndpointError{Endpoint: e.String(), Kind: ErrListen, Err: err}
	}
	if e.Listener == nil { // which is the application's to hand over
		b.own = slices.Clone(b.listeners)
	}
	if err := e.checkAddrs(b.listeners); err != nil {
		return nil, &EndpointError{Endpoint: e.String(), Kind: ErrListen, Err: errors.Join(err, closeAll(b.listeners))}
	}
	if e.Wrap != nil {
		for i, l := range b.listeners {
			b.listeners[i] = e.Wrap(l)
		}
	}
	return b, nil
}

// check refuses fields that contradict each other. ParseEndpoint makes none such.
func (e *Endpoint) check() error {
	switch {
	case e.TLS != nil && e.TLSConfig != nil:
		return errors.New("it has both TLS and TLSConfig")
	case e.Mode&^fs.ModePerm != 0:
		return fmt.Errorf("mode %v has more than permission bits", e.Mode)
	}
	return nil
}

// checkAddrs asks the application about the addresses. The errors of all are joined.
func (e *Endpoint) checkAddrs(listeners []net.Listener) error {
	if e.Check == nil {
		return nil
	}
	var errs []error
	for _, l := range listeners {
		errs = append(errs, e.Check(l.Addr()))
	}
	return errors.Join(errs...)
}

func (e *Endpoint) listen(ctx context.Context, from sources) ([]net.Listener, error) {
	if e.Listener == nil && from.inherited != nil {
		if all := from.inherited(e); all != nil {
			if unix, ok := all[0].(*unixListener); ok {
				if err := takeUnix(e, unix); err != nil {
					return nil, errors.Join(err, unix.Close())
				}
			}
			return all, nil
		}
	}
	var l net.Listener
	var err error
	switch {
	case e.Listener != nil:
		l = e.Listener
	case e.Network == NetworkSystemd:
		return from.systemd.listeners(e.Address)
	case e.Network == NetworkUnix:
		l, err = listenUnix(ctx, e)
	case e.Network == NetworkTCP:
		var config net.ListenConfig
		l, err = config.Listen(ctx, "tcp", e.Address)
	default:
		err = &UnknownError{What: "network", Name: e.Network, Known: []string{NetworkTCP, NetworkUnix, NetworkSystemd}}
	}
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
}

// bindAll binds every endpoint, or none: the errors of all that fail are joined.
func bindAll(ctx context.Context, from sources, endpoints []*Endpoint) ([]*bound, error) {
	var all []*bound
	var errs []error
	for _, e := range endpoints {
		b, err := e.bind(ctx, from)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, b)
	}
	if len(errs) == 0 {
		return all, nil
	}
	return nil, errors.Join(append(errs, unbind(all))...)
}

// serve serves one of the endpoint's listeners, as Server.Serve does.
func (b *bound) serve(ctx context.Context, server *serialserver.Server, l net.Listener) error {
	config, shake := b.endpoint.TLSConfig, b.endpoint.Handshake
	if b.certificates != nil {
		config = b.certificates.Config()
	}
	switch {
	case config == nil && shake == nil:
		return server.Serve(ctx, l)
	case shake == nil:
		return server.ServeTLS(ctx, l, config)
	case config == nil:
		return server.ServeHandshake(ctx, l, shake)
	default:
		return server.ServeHandshake(ctx, l, serialserver.TLSHandshake(config, shake))
	}
}

// unbind closes what is bound and not served.
func unbind(all []*bound) error {
	var errs []error
	for _, b := range all {
		errs = append(errs, closeAll(b.listeners))
	}
	return errors.Join(errs...)
}
