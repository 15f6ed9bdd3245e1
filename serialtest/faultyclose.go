package serialtest

import (
	"net"
	"time"
)

// halfFaultyConn is a faultyConn around a connection that can be half closed.
type halfFaultyConn struct{ *faultyConn }

// CloseWrite passes the call on, unless a fault has ended the direction.
func (c halfFaultyConn) CloseWrite() error {
	if err := c.ended(c.writes); err != nil {
		return err
	}
	_ = c.idle.closeWrite() // wakes a stalled Write
	return c.closeWrite()
}

// Close ends what a fault has left and wakes stalled operations.
func (c *faultyConn) Close() error {
	if err := c.idle.Close(); err != nil {
		return err // not the first Close
	}
	if c.closeFaults() {
		return nil
	}
	return c.Conn.Close()
}

// closeFaults turns the errors of faults into the one of a closed connection.
// It tells whether a fault has closed Conn already.
func (c *faultyConn) closeFaults() (gone bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range []*side{c.reads, c.writes} {
		if s.err != nil {
			s.err = net.ErrClosed
		}
	}
	return c.gone
}

func (c *faultyConn) SetDeadline(t time.Time) error {
	return c.setDeadline(net.Conn.SetDeadline, t)
}

func (c *faultyConn) SetReadDeadline(t time.Time) error {
	return c.setDeadline(net.Conn.SetReadDeadline, t)
}

func (c *faultyConn) SetWriteDeadline(t time.Time) error {
	return c.setDeadline(net.Conn.SetWriteDeadline, t)
}

// setDeadline sets a deadline for stalls and for Conn, both or none. It holds
// the lock meanwhile, so that it cannot undo an interrupt.
func (c *faultyConn) setDeadline(set func(net.Conn, time.Time) error, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reads.err != nil && c.writes.err != nil {
		return c.idle.open()
	}
	if err := set(c.Conn, t); err != nil {
		return err
	}
	return set(c.idle, t)
}
