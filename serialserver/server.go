package serialserver

import (
	"cmp"
	"context"
	"encoding/binary"
	"net"
	"net/netip"
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
	name      string        // never changes after New, as the next three
	timeout   Timeout       // defaults filled in
	limits    Limits        // defaults filled in
	keepAlive time.Duration // negative: the kernel does not look after the connections

	handshake        Handshake // of Serve's connections; never changes, as the next one
	handshakeTimeout time.Duration

	tasks    registry
	messages memoryLimit // of WholeMessage

	logger  atomic.Pointer[zap.Logger]
	metrics atomic.Pointer[Metrics]

	down chan struct{} // closed by Shutdown and Close, with mu held

	mu        sync.Mutex // guards what follows
	clients   map[*Client]struct{}
	unawaited map[*Client]struct{}  // of the clients those that no Shutdown waits for; nil before the stop
	arrivals  map[*arrival]struct{} // connections of Serve that are no clients yet
	listeners map[*listening]struct{}
	callers   map[*Client]int // those whose tasks are in a Shutdown
	number    uint64          // of the latest client
	admission admission
	empty     sync.Cond     // nothing is left for Wait; its L is mu
	changed   chan struct{} // closed, and made anew, whenever something ends after a stop
	tally     Report        // of the stop
}

// New returns a Server with the timeouts, of which nil means the defaults, and the options.
func New(timeout *Timeout, opts ...Option) *Server {
	s := &Server{
		timeout:   timeout.withDefaults(),
		down:      make(chan struct{}),
		clients:   make(map[*Client]struct{}),
		arrivals:  make(map[*arrival]struct{}),
		listeners: make(map[*listening]struct{}),
		callers:   make(map[*Client]int),
		changed:   make(chan struct{}),
	}
	s.empty.L = &s.mu
	s.SetLogger(nil)
	s.SetMetrics(nil)
	s.admission.perHost = make(map[netip.Prefix]int)
	WithLimits(Limits{})(s)
	WithKeepAlive(0)(s)
	WithMaxClients(0)(s)
	WithMessageMemory(0)(s)
	WithMaxClientsPerAddress(0)(s)
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
// A panic of conn, which may be a layer of the application's, ends with the connection where it is read, written or
// closed beside this goroutine: the error is then a *PanicError. One in this goroutine, outside of a task, goes on.
//
// A *tls.Conn whose handshake is still to come shakes hands first, within the time of WithHandshake, and a client that
// is refused, or was disconnected before, within 2 s.
//
// When ctx is done, the connection is disconnected as by Client.Disconnect with 5 s, and the running
// task's context, which is derived from ctx, is cancelled.
func (s *Server) HandleConnection(ctx context.Context, conn net.Conn, e binary.ByteOrder, args ...interface{}) error {
	c := newClient(s, ctx, conn, e, args)
	s.mu.Lock()
	c.seat = s.admission.seatLocked()
	s.enterLocked(c)
	if s.isDown() {
		if s.unawaited == nil {
			s.unawaited = make(map[*Client]struct{})
		}
		s.unawaited[c] = struct{}{}
	}
	s.mu.Unlock()
	return s.host(c)
}

// enterLocked makes c one of the clients.
func (s *Server) enterLocked(c *Client) {
	s.number++
	c.number = s.number
	c.timestamp = time.Now()
	s.clients[c] = struct{}{}
}

// host serves a client that has entered, or tells it that there is no room. After a stop it is told Goodbye at
// once.
func (s *Server) host(c *Client) (err error) {
	var e ending
	defer func() { s.remove(c, &e) }()
	if c.accepted == nil && c.seat.room == admitted { // HandleConnection's
		host := hostOf(c.RemoteAddr()) // which may be waited for
		s.mu.Lock()
		c.seat = s.admission.seatAtLocked(c.seat, host)
		s.mu.Unlock()
	}
	if c.seat.room != admitted {
		s.logRefused()
	}
	if c.seat.room == dropped {
		return c.drop(&e)
	}
	return c.serve(&e)
}

// remove forgets a client that has ended.
func (s *Server) remove(c *Client, e *ending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c)
	delete(s.unawaited, c)
	s.admission.leaveLocked(c.seat)
	if s.isDown() {
		s.tally.count(c, e)
	}
	s.changedLocked()
}

// changedLocked tells those who wait that something has ended.
func (s *Server) changedLocked() {
	if s.leftLocked() == 0 {
		s.empty.Broadcast()
	}
	if s.isDown() {
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

// Clients returns the connections that are now being served, by increasing Timestamp. Those that there was no
// room for, and that are just being told so, are not among them.
func (s *Server) Clients() []*Client {
	var clients []*Client
	s.mu.Lock()
	for c := range s.clients {
		if c.seat.room == admitted {
			clients = append(clients, c)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(clients, func(a, b *Client) int { return cmp.Compare(a.number, b.number) })
	return clients
}

// NumClients returns how many connections are now being served.
func (s *Server) NumClients() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for c := range s.clients {
		if c.seat.room == admitted {
			n++
		}
	}
	return n
}

// Disconnect disconnects every current client, see Client.Disconnect. It does not block, and says
// nothing to those who connect later: stop accepting first. Wait waits for the end.
//
// A connection is a client from when HandleConnection is called, so that one whose goroutine has been
// started and does not run yet is missed. Shutdown tells it Goodbye when it runs.
func (s *Server) Disconnect(d time.Duration) {
	for _, c := range s.Clients() {
		c.Disconnect(d)
	}
}

// leftLocked returns how much there is to wait for. A Serve that has been stopped may still bring a
// connection.
func (s *Server) leftLocked() int {
	left := len(s.clients) + len(s.arrivals)
	if s.isDown() {
		left += len(s.listeners)
	}
	return left
}

// Wait blocks until no HandleConnection runs, and none of Serve's connections is left. A call of
// HandleConnection that has not begun, because its goroutine has been started just now, does not count:
// where that matters, wait for the goroutines, or use Serve.
func (s *Server) Wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.leftLocked() > 0 {
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
