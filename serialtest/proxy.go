package serialtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
)

// ErrProxyClosed is what a Proxy's methods return once Close was called.
var ErrProxyClosed = errors.New("serialtest: proxy closed")

// Proxy stands between clients and a server and passes on what they send, in both directions: bytes,
// half closes and resets. It follows the protocol, so that a ProxyFault can be aimed at a byte of a certain request or
// response. It works over every net.Conn, TCP and Pipe among them, and in a testing/synctest bubble, where nothing but the
// faults' own pauses takes time.
//
// A connection takes five goroutines and at most about 256 KiB. All have ended when Close returns. The
// methods are safe for concurrent use.
type Proxy struct {
	dial func(context.Context) (net.Conn, error) // never changes, as ctx and stop

	ctx  context.Context // done when the proxy is closed; for dial
	stop context.CancelFunc
	all  sync.WaitGroup // Handle and Serve

	mu        sync.Mutex // guards what follows
	closed    bool
	faults    []*ProxyFault // replaced as a whole
	links     map[*link]struct{}
	listeners map[net.Listener]struct{}
}

// NewProxy returns a Proxy that gets a connection to the server from dial, for each client's one, and on whose connections the
// faults happen. The context of dial is done when the proxy is closed, and dial must then
// return. Close it in the end.
func NewProxy(dial func(context.Context) (net.Conn, error), faults ...*ProxyFault) *Proxy {
	ctx, stop := context.WithCancel(context.Background())
	return &Proxy{
		dial: dial, ctx: ctx, stop: stop, faults: faults,
		links: map[*link]struct{}{}, listeners: map[net.Listener]struct{}{},
	}
}

// SetFaults replaces the faults, for connections that come from now on. Those that are there keep theirs.
func (p *Proxy) SetFaults(faults ...*ProxyFault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = faults
}

// Dial returns the client's end of a new Pipe with the options, whose other end the proxy handles. If the server cannot be
// dialled, it is reset.
func (p *Proxy) Dial(opts ...Option) (net.Conn, error) {
	client, near := Pipe(opts...)
	faults, ok := p.begin()
	if !ok {
		return nil, ErrProxyClosed
	}
	go func() {
		defer p.all.Done()
		_ = p.handle(near, faults)
	}()
	return client, nil
}

// Serve accepts connections from l and handles them, until the proxy is closed or Accept fails. It closes l, and
// returns ErrProxyClosed or the error of Accept. Connections that it has accepted go on after an error.
func (p *Proxy) Serve(l net.Listener) error {
	defer l.Close()
	if _, ok := p.begin(); !ok {
		return ErrProxyClosed
	}
	defer p.all.Done()
	if !p.keepListener(l) {
		return ErrProxyClosed
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			return p.dropListener(l, err)
		}
		faults, ok := p.begin()
		if !ok {
			_ = conn.Close()
			return ErrProxyClosed
		}
		go func() {
			defer p.all.Done()
			_ = p.handle(conn, faults)
		}()
	}
}

// Handle dials the server and passes on what the client's conn and the server send until both have ended. It owns conn,
// and closes it. Its error is that of dialling or ErrProxyClosed; how the connection has ended is none.
func (p *Proxy) Handle(conn net.Conn) error {
	faults, ok := p.begin()
	if !ok {
		_ = conn.Close()
		return ErrProxyClosed
	}
	defer p.all.Done()
	return p.handle(conn, faults)
}

// Close closes the listeners and all connections, and waits until everything has ended. Calling it again
// does the same.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	listeners, links := slices.Collect(maps.Keys(p.listeners)), slices.Collect(maps.Keys(p.links))
	p.mu.Unlock()
	p.stop()
	for _, l := range listeners {
		_ = l.Close()
	}
	for _, l := range links {
		l.end(false)
	}
	p.all.Wait()
	return nil
}

// begin counts a goroutine that Close waits for, unless the proxy is closed. It returns the faults of a connection
// that comes now.
func (p *Proxy) begin() (faults []*ProxyFault, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, false
	}
	p.all.Add(1)
	return p.faults, true
}

func (p *Proxy) keepListener(l net.Listener) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.listeners[l] = struct{}{}
	return true
}

// dropListener forgets l and returns what Serve says after the error of its Accept.
func (p *Proxy) dropListener(l net.Listener, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.listeners, l)
	if p.closed {
		return ErrProxyClosed
	}
	return fmt.Errorf("serialtest: proxy: %w", err)
}

// handle is Handle for a connection that is counted.
func (p *Proxy) handle(client net.Conn, faults []*ProxyFault) error {
	server, err := p.dial(p.ctx)
	if err != nil {
		resetOnClose(client)
		_ = client.Close()
		return fmt.Errorf("serialtest: proxy: %w", err)
	}
	l, ok := p.newLink(client, server, faults)
	if !ok {
		l.end(false)
		return ErrProxyClosed
	}
	l.run()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
	return nil
}

// newLink makes a link, and keeps it for Close unless that was called.
func (p *Proxy) newLink(client, server net.Conn, faults []*ProxyFault) (l *link, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l = newLink(client, server, faults)
	if !p.closed {
		p.links[l] = struct{}{}
	}
	return l, !p.closed
}
