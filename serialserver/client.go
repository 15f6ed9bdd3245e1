package serialserver

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/internal/transport"
	"github.com/serialkit/serialkit/serial"
)

// Client is one connection that a Server serves. Its methods are safe for concurrent use, from
// TaskFuncs too, and none blocks.
type Client struct {
	server    *Server          // never changes, as the next seven
	order     binary.ByteOrder // of its messages
	args      []interface{}    // for its TaskFuncs
	ctx       context.Context  // of HandleConnection, with the Client
	timestamp time.Time
	number    uint64   // in the order of arrival
	outer     *Client  // whose task serves this one; nil: none does
	accepted  net.Conn // what Serve has accepted, if conn is a layer on it

	conn   *transport.Conn
	input  *transport.Input  // owned by the connection's goroutine, and by a task through its message
	output *transport.Output // owned by the connection's goroutine

	blocks    serial.Writer // of the answers; the connection's goroutine's, as the next four
	sequence  uint64        // of the latest task
	unknown   uint64        // unknown task codes so far
	waitUntil time.Time     // when the client is idle for too long; zero: never
	taskLog   taskLog

	timers sync.WaitGroup // armed timers and what they run; the connection's end waits for them

	logger  atomic.Pointer[zap.Logger] // nil: the server's
	metrics atomic.Pointer[Metrics]    // nil: the server's
	limits  atomic.Pointer[Limits]     // nil: none of its own

	panicked atomic.Pointer[PanicError] // what its layer did beside its goroutine; nil: nothing

	seat seat // Server.mu guards it; the connection's goroutine alone changes it

	mu      sync.Mutex // guards what follows
	state   state
	task    *task // the running one
	leaving bool  // no further task begins
	shaking bool  // its TLS handshake is under way: it is left alone
	busy    bool  // there was something to finish when the server was shut down
	unsent  bool  // there may be answers that have not been written yet
	cut     cut
	look    look
}

func newClient(s *Server, ctx context.Context, conn net.Conn, e binary.ByteOrder, args []interface{}) *Client {
	if e == nil {
		e = binary.BigEndian
	}
	c := &Client{server: s, order: e, args: args, conn: transport.NewConn(conn, s.limits.rate())}
	c.conn.Panicked = c.layerPanicked
	s.keep(conn)
	c.outer, _ = ctx.Value(clientKey{}).(*Client)
	c.ctx = context.WithValue(ctx, clientKey{}, c)
	c.input = transport.NewInput(c.conn)
	c.input.Timeout = s.timeout.Read
	c.input.Deadline = func() time.Time { return c.waitUntil }
	c.output = transport.NewOutput(c.conn)
	c.output.Timeout = s.timeout.Write
	c.input.BeforeRead = c.output.FlushLent
	return c
}

// ByteOrder returns the byte order of the numbers in the client's messages.
func (c *Client) ByteOrder() binary.ByteOrder { return c.order }

// Server returns the server that serves the client.
func (c *Client) Server() *Server { return c.server }

// Timestamp returns when HandleConnection was called, or the handshake was over.
func (c *Client) Timestamp() time.Time { return c.timestamp }

// LocalAddr returns the connection's local address.
func (c *Client) LocalAddr() net.Addr { return c.conn.NetConn().LocalAddr() }

// RemoteAddr returns the connection's remote address.
func (c *Client) RemoteAddr() net.Addr { return c.conn.NetConn().RemoteAddr() }

// String returns "remote addr->local addr".
func (c *Client) String() string {
	return addrString(c.RemoteAddr()) + "->" + addrString(c.LocalAddr())
}

func addrString(a net.Addr) string {
	if a == nil {
		return "?"
	}
	return a.String()
}

// Log returns the client's logger, which is the server's until SetLogger.
func (c *Client) Log() *zap.Logger {
	if lg := c.logger.Load(); lg != nil {
		return lg
	}
	return c.server.Log()
}

// SetLogger sets the client's logger; nil means the server's again.
func (c *Client) SetLogger(lg *zap.Logger) { c.logger.Store(lg) }

// Metrics returns whom the client's connection tells what happens: the server's until SetMetrics.
func (c *Client) Metrics() Metrics {
	if m := c.metrics.Load(); m != nil {
		return *m
	}
	return c.server.Metrics()
}

// SetMetrics sets whom the client's connection tells what happens; nil means the server's again.
func (c *Client) SetMetrics(m Metrics) {
	if m == nil {
		c.metrics.Store(nil)
		return
	}
	c.metrics.Store(&m)
}

// Metadata returns what is known of the running task, nil when none runs. A task runs from when
// its code was read to when its answer is complete.
func (c *Client) Metadata() *serial.TaskMetadata {
	t := c.running()
	if t == nil {
		return nil
	}
	return t.metadata()
}

// TaskCodes returns the codes of the tasks that are now assigned to the client's connection: those
// that run. As the tasks of a connection are strictly serial there is at most one.
func (c *Client) TaskCodes() []serial.TaskCode {
	t := c.running()
	if t == nil {
		return nil
	}
	return []serial.TaskCode{t.reg.code}
}

func (c *Client) running() *task {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.task
}
