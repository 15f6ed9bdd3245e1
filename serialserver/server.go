package serialserver

import (
	"cmp"
	"context"
	"encoding/binary"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// Server maps task codes to TaskFuncs and serves connections with them. Make one with New. Its
// methods are safe for concurrent use, and those that change it take effect for the next task of
// every connection.
type Server struct {
	name    string  // never changes after New, as the next two
	timeout Timeout // defaults filled in
	limits  Limits  // defaults filled in

	handshake        Handshake // of Serve's connections; never changes, as the next one
	handshakeTimeout time.Duration

	tasks registry

	logger  atomic.Pointer[zap.Logger]
	metrics atomic.Pointer[Metrics]

	down chan struct{} // closed by Shutdown and Close, with mu held

	mu        sync.Mutex // guards what follows
	clients   map[*Client]struct{}
	arrivals  map[*arrival]struct{} // connections of Serve that are no clients yet
	listeners map[net.Listener]struct{}
	number    uint64        // of the latest client
	empty     sync.Cond     // clients and arrivals have become empty; its L is mu
	changed   chan struct{} // closed, and made anew, whenever one of them ends after a stop
	tally     Report        // of the stop
}

// New returns a Server with the timeouts, of which nil means the defaults, and the options.
func New(timeout *Timeout, opts ...Option) *Server {
	s := &Server{
		timeout:   timeout.withDefaults(),
		down:      make(chan struct{}),
		clients:   make(map[*Client]struct{}),
		arrivals:  make(map[*arrival]struct{}),
		listeners: make(map[net.Listener]struct{}),
		changed:   make(chan struct{}),
	}
	s.empty.L = &s.mu
	s.SetLogger(nil)
	s.SetMetrics(nil)
	WithLimits(Limits{})(s)
	WithHandshake(nil, 0)(s)
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// HandleConnection serves the tasks of one connection until it ends, and closes it. The byte order
// e, nil meaning big-endian, is that of the numbers in its messages; args are passed to each
// TaskFunc. The deadlines of conn must work: they end what is blocked, also for Disconnect.
//
// It returns nil when the client closed the connection between two tasks, ErrGracefulDisconnect,
// ErrTimeoutWaitingForTask, or another error that says what ended it; see the variables. It does
// not return before a running TaskFunc, and a Read of the out that it returned, do, even when the
// connection was closed long ago.
//
// When ctx is done, the connection is disconnected as by Client.Disconnect with 5 s, and the running
// task's context, which is derived from ctx, is cancelled.
func (s *Server) HandleConnection(ctx context.Context, conn net.Conn, e binary.ByteOrder, args ...interface{}) error {
	c := newClient(s, ctx, conn, e, args)
	s.add(c)
	defer s.remove(c)
	return c.serve()
}

// add makes c one of the clients. After a stop it is told Goodbye at once.
func (s *Server) add(c *Client) { s.arrive(nil, c) }

// arrive is add for a connection that was an arrival.
func (s *Server) arrive(a *arrival, c *Client) {
	s.mu.Lock()
	s.number++
	c.number = s.number
	c.timestamp = time.Now()
	s.clients[c] = struct{}{}
	delete(s.arrivals, a)
	down := s.isDown()
	s.mu.Unlock()
	if down {
		c.Disconnect(0)
	}
}

// leave forgets an arrival that has not become a client.
func (s *Server) leave(a *arrival) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.arrivals, a)
	s.changedLocked()
}

func (s *Server) remove(c *Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c)
	if s.isDown() {
		s.tally.count(c)
	}
	s.changedLocked()
}

// changedLocked tells those who wait that a connection has ended.
func (s *Server) changedLocked() {
	if len(s.clients)+len(s.arrivals) == 0 {
		s.empty.Broadcast()
	}
	if s.isDown() {
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

// Clients returns the connections that are now being served, by increasing Timestamp.
func (s *Server) Clients() []*Client {
	s.mu.Lock()
	clients := make([]*Client, 0, len(s.clients))
	for c := range s.clients {
		clients = append(clients, c)
	}
	s.mu.Unlock()
	slices.SortFunc(clients, func(a, b *Client) int { return cmp.Compare(a.number, b.number) })
	return clients
}

// NumClients returns how many connections are now being served.
func (s *Server) NumClients() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.clients)
}

// Disconnect disconnects every current client, see Client.Disconnect. It does not block, and says
// nothing to those who connect later: stop accepting first. Wait waits for the end.
//
// A connection is a client from when HandleConnection is called, so that one whose goroutine has been
// started and does not run yet is missed. Shutdown misses none.
func (s *Server) Disconnect(d time.Duration) {
	for _, c := range s.Clients() {
		c.Disconnect(d)
	}
}

// Wait blocks until no HandleConnection runs, and none of Serve's connections is left. A call of
// HandleConnection that has not begun, because its goroutine has been started just now, does not count:
// where that matters, wait for the goroutines, or use Serve.
func (s *Server) Wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.clients)+len(s.arrivals) > 0 {
		s.empty.Wait()
	}
}

// Log returns the server's logger. It logs nothing by default.
func (s *Server) Log() *zap.Logger { return s.logger.Load() }

// SetLogger sets the logger for the server and for those of its clients that have none of their
// own; nil means none.
func (s *Server) SetLogger(lg *zap.Logger) {
	if lg == nil {
		lg = zap.NewNop()
	}
	s.logger.Store(lg)
}

// Metrics returns what the server tells what happens. It is never nil.
func (s *Server) Metrics() Metrics { return *s.metrics.Load() }

// SetMetrics sets whom the server, and those of its clients that have none of their own, tell what
// happens; nil means nobody.
func (s *Server) SetMetrics(m Metrics) {
	if m == nil {
		m = noMetrics{}
	}
	s.metrics.Store(&m)
}
