package serialclient

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/serialkit/serialkit/internal/transport"
)

// Client is the client's end of one connection. Make one with New or Dial, and Close it in the
// end. Its methods are safe for concurrent use: callers take turns, in the order of their coming.
// A turn is one call, one stream until its Close, or one pipeline until its Close.
type Client struct {
	conn  *transport.Conn  // never changes, as the next two
	order binary.ByteOrder // of the numbers in messages
	opts  options

	turn   chan struct{} // a token: who put it there has the turn
	closed chan struct{} // closed when the connection cannot be used any more

	// What follows belongs to who has the turn, as the fields of the types say.
	probe     *transport.Probe
	exchange  *transport.Exchange // nil: the connection can have none
	requests  requests
	responses responses
	stall     stall
	giveUp    time.Time // when abandoned responses have taken too long; zero: they have not begun

	lastUse    atomic.Int64   // when the last turn ended, in ns since start
	start      time.Time      // never changes
	background sync.WaitGroup // goroutines and armed timers of this Client's own
	keepAlive  *time.Timer    // nil: none; set once, in New

	mu     sync.Mutex // guards broken, and closing closed
	broken error      // why the connection cannot be used any more
}

// New returns a Client over conn, which it owns from now on, with messages in the given byte order
// (nil: big-endian). Whatever handshake the daemon wants has been done, TLS among them. The deadlines of conn must work:
// they also end what is blocked when a context is done.
func New(conn net.Conn, order binary.ByteOrder, opts ...Option) *Client {
	if order == nil {
		order = binary.BigEndian
	}
	c := &Client{
		conn:   transport.NewConn(conn, transport.Rate{}),
		probe:  transport.NewProbe(conn),
		order:  order,
		opts:   newOptions(opts),
		turn:   make(chan struct{}, 1),
		closed: make(chan struct{}),
		start:  time.Now(),
	}
	c.requests.init(c)
	c.responses.init(c)
	c.exchange = transport.NewExchange(c.responses.input, c.requests.output)
	c.stall.init(c)
	c.startKeepAlive()
	return c
}

// Dial connects to the address on the named network, as net.Dialer.DialContext does, and returns a
// Client over the connection. The context bounds the dialling alone. The error is an *Error with the
// outcome NotRun around the dialer's.
func Dial(ctx context.Context, network, address string, order binary.ByteOrder, opts ...Option) (*Client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, nothingRun(err)
	}
	return New(conn, order, opts...), nil
}

// ByteOrder returns the byte order of the numbers in messages.
func (c *Client) ByteOrder() binary.ByteOrder { return c.order }

// LocalAddr returns the connection's local address.
func (c *Client) LocalAddr() net.Addr { return c.conn.NetConn().LocalAddr() }

// RemoteAddr returns the connection's remote address.
func (c *Client) RemoteAddr() net.Addr { return c.conn.NetConn().RemoteAddr() }

// Err returns nil while the connection can be used, and then why it cannot any more: ErrClosed
// after Close or Disconnect, ErrGoodbye, or what failed. It does not look at the connection.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken
}

// Close closes the connection at once; over TLS it says close_notify first, for which crypto/tls waits for
// up to 5 s. Calls that are under way fail, their outcome Unknown once a byte of them was sent. It waits for
// the Client's own goroutines, but not for the one of a stream that reads and sends its request, which ends
// when both return. See Disconnect for the polite way.
func (c *Client) Close() error {
	err := c.breakDown(ErrClosed)
	c.stopTimers()
	c.background.Wait()
	return err
}

// breakDown closes the connection for good. The first reason counts.
func (c *Client) breakDown(reason error) error {
	c.conn.InterruptWrite() // before anybody judges what was sent: no more is
	c.mu.Lock()
	first := c.broken == nil
	if first {
		c.broken = reason
		close(c.closed)
	}
	c.mu.Unlock()
	switch {
	case !first:
		return nil
	case reason == ErrClosed || reason == ErrGoodbye:
		return c.conn.Close()
	default: // nobody waits for what may be blocked
		return c.conn.Abort()
	}
}

// goBackground counts a goroutine of this Client's own, which calls background.Done in the end. It
// reports false once the connection is closed: then none may begin.
func (c *Client) goBackground() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return false
	}
	c.background.Add(1)
	return true
}
