package inputs

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Conn is a connection whose peer's words are known beforehand and fit into one queue, after which it has half-closed,
// and that takes whatever is written. So its peer needs no goroutine. It can be half-closed. Make one with NewConn.
type Conn struct {
	mu         sync.Mutex // guards what follows
	changed    sync.Cond  // for a Read that is blocked
	in, cuts   []byte
	reads      int
	after      int
	written    []byte
	readBy     time.Time
	halfClosed bool
	closed     bool
}

// NewConn returns a Conn that must be Reset before it is used.
func NewConn() *Conn {
	c := new(Conn)
	c.changed.L = &c.mu
	return c
}

// Reset makes c a new connection. Its peer says b once it was written so many bytes, in reads of the sizes that cuts
// says, again and again, or as large as may be if that is empty. b and cuts must stay as they are until the next Reset. The
// old connection must not be in use any more.
func (c *Conn) Reset(b, cuts []byte, after int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in, c.cuts, c.reads, c.after, c.written = b, cuts, 0, after, c.written[:0]
	c.readBy, c.halfClosed, c.closed = time.Time{}, false, false
}

// Written returns what was written. It is valid until the next Reset.
func (c *Conn) Written() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.written
}

// Closed reports whether the connection was closed.
func (c *Conn) Closed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Read gives the next piece of what the peer says, and then io.EOF. Before the peer says anything it waits; only a deadline
// that is set to the past ends that, and not one that passes meanwhile.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closed && !c.lateLocked() && len(c.written) < c.after {
		c.changed.Wait()
	}
	switch {
	case c.closed:
		return 0, net.ErrClosed
	case c.lateLocked():
		return 0, os.ErrDeadlineExceeded
	case len(p) == 0:
		return 0, nil
	case len(c.in) == 0:
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.cutLocked())], c.in)
	c.in = c.in[n:]
	return n, nil
}

func (c *Conn) lateLocked() bool { return !c.readBy.IsZero() && !time.Now().Before(c.readBy) }

// cutLocked returns the size of the next read, at least 1.
func (c *Conn) cutLocked() int {
	if len(c.cuts) == 0 {
		return len(c.in)
	}
	n := int(c.cuts[c.reads%len(c.cuts)])
	c.reads++
	return max(n, 1)
}

// Write takes all of p.
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return 0, net.ErrClosed
	case c.halfClosed:
		return 0, syscall.EPIPE
	}
	c.written = append(c.written, p...)
	c.changed.Broadcast()
	return len(p), nil
}

// CloseWrite makes writes fail with syscall.EPIPE.
func (c *Conn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.halfClosed = true
	return nil
}

// Close makes all but Written and Closed fail, and ends a Read that waits.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.closed = true
	c.changed.Broadcast()
	return nil
}

// SetDeadline sets the deadline of reads; writes are never late.
func (c *Conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline sets the deadline of reads.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readBy = t
	c.changed.Broadcast()
	return nil
}

// SetWriteDeadline does nothing.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }

// address is both ends' address.
type address struct{}

func (address) Network() string { return "inputs" }
func (address) String() string  { return "inputs" }

// LocalAddr returns an address that says nothing.
func (c *Conn) LocalAddr() net.Addr { return address{} }

// RemoteAddr returns the same.
func (c *Conn) RemoteAddr() net.Addr { return address{} }
