package serialtest

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Pipe returns the two ends of an in-memory connection that behaves as a TCP
// connection does, with nothing between the ends but two bounded queues: no
// goroutine, no latency, no loss. Both ends are safe for concurrent use.
//
//   - Write blocks while the queue is full and returns how many bytes were
//     accepted, also when it fails. Concurrent Writes do not interleave.
//   - Close ends both directions. This end's calls fail with net.ErrClosed; the
//     peer reads what waits for it and then io.EOF, and its Writes fail with
//     syscall.EPIPE. If this end left input unread, the peer is reset instead;
//     see ResetOnUnread.
//   - CloseWrite ends one direction: the peer reads what waits and then io.EOF,
//     own Writes fail with syscall.EPIPE. See NoHalfClose.
//   - SetLinger(0) makes Close reset the connection whatever was read, as on a
//     *net.TCPConn. After a reset the peer's Reads fail with
//     syscall.ECONNRESET at once, and bytes waiting for it are lost. Linux
//     would let it read those that had arrived; other systems would not.
//   - A deadline that is now or past fails Reads and Writes at once with
//     os.ErrDeadlineExceeded and moves no byte; a later one revives them. It
//     reaches operations that are already blocked.
//   - An empty Write tells the state of the connection and never blocks; an
//     empty Read fails only on a closed end.
//
// Errors other than io.EOF are a *net.OpError: compare them with errors.Is. A
// second Close fails with net.ErrClosed, as a socket's does.
//
// In a testing/synctest bubble, make the Pipe inside the bubble. Blocked Reads
// and Writes are durably blocked there, and deadlines are exact: a byte that
// arrives one nanosecond before the deadline is read, one that arrives at the
// deadline is late.
func Pipe(opts ...Option) (client, server net.Conn) {
	cfg := newConfig(opts)
	mu := new(sync.Mutex)
	up, down := newDirection(mu, cfg.buffer), newDirection(mu, cfg.buffer)
	c := &pipeConn{mu: mu, in: down, out: up, local: cfg.client, remote: cfg.server, resetOnUnread: cfg.resetOnUnread}
	s := &pipeConn{mu: mu, in: up, out: down, local: cfg.server, remote: cfg.client, resetOnUnread: cfg.resetOnUnread}
	if !cfg.halfClose {
		return c, s
	}
	return halfConn{c}, halfConn{s}
}

// halfConn is a pipeConn whose type tells that it can be half closed.
type halfConn struct{ *pipeConn }

// CloseWrite ends the direction from this end to the peer. It fails with
// net.ErrClosed on a closed end and with syscall.ENOTCONN after a reset.
func (c halfConn) CloseWrite() error { return c.closeWrite() }

// pipeConn is one end of a Pipe.
type pipeConn struct {
	mu            *sync.Mutex // the directions' lock; guards closed and abort
	in, out       *direction  // to this end and from it; never change
	local, remote net.Addr    // never change
	resetOnUnread bool        // never changes
	closed        bool        // Close was called
	abort         bool        // SetLinger(0): Close resets
}

func (c *pipeConn) LocalAddr() net.Addr  { return c.local }
func (c *pipeConn) RemoteAddr() net.Addr { return c.remote }

func (c *pipeConn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.opError(opRead, err)
}

func (c *pipeConn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.opError(opWrite, err)
}

func (c *pipeConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.opError("close", net.ErrClosed)
	}
	c.closed = true
	var end error = io.EOF
	if c.abort || c.resetOnUnread && c.in.queue.len() > 0 {
		end = syscall.ECONNRESET
	}
	c.out.endWriteLocked(net.ErrClosed, end)
	c.in.endReadLocked()
	c.out.writeBy.stop()
	c.in.readBy.stop()
	return nil
}

func (c *pipeConn) closeWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return c.opError("close", net.ErrClosed)
	case c.in.readErr == syscall.ECONNRESET:
		return c.opError("close", syscall.ENOTCONN)
	}
	c.out.endWriteLocked(syscall.EPIPE, io.EOF)
	return nil
}

// SetLinger makes Close reset the connection when sec is 0; any other value
// restores the default. Nothing ever waits for unsent bytes.
func (c *pipeConn) SetLinger(sec int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abort = sec == 0
	return c.openLocked()
}

func (c *pipeConn) SetDeadline(t time.Time) error      { return c.setDeadlines(t, true, true) }
func (c *pipeConn) SetReadDeadline(t time.Time) error  { return c.setDeadlines(t, true, false) }
func (c *pipeConn) SetWriteDeadline(t time.Time) error { return c.setDeadlines(t, false, true) }

func (c *pipeConn) setDeadlines(t time.Time, read, write bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.openLocked(); err != nil {
		return err
	}
	if read {
		c.in.setReadByLocked(t)
	}
	if write {
		c.out.setWriteByLocked(t)
	}
	return nil
}

func (c *pipeConn) open() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.openLocked()
}

func (c *pipeConn) openLocked() error {
	if c.closed {
		return c.opError("set", net.ErrClosed)
	}
	return nil
}

// lapsed tells why operation op would fail whatever bytes there are: the end is
// closed or the deadline has passed.
func (c *pipeConn) lapsed(op string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	by := &c.in.readBy
	if op == opWrite {
		by = &c.out.writeBy
	}
	switch {
	case c.closed:
		return c.opError(op, net.ErrClosed)
	case by.passed():
		return c.opError(op, os.ErrDeadlineExceeded)
	}
	return nil
}

// opError dresses err as a socket's error of the same kind.
func (c *pipeConn) opError(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		err = os.NewSyscallError(op, errno)
	}
	return &net.OpError{Op: op, Net: c.local.Network(), Source: c.local, Addr: c.remote, Err: err}
}
