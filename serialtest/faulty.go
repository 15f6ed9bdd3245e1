package serialtest

import (
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// Faulty wraps conn, a Pipe's end or any other connection, so that the given
// faults happen on it. Without faults it behaves as conn does. It has a
// CloseWrite method exactly if conn has one. Use conn through the wrapper
// alone from then on: bytes and deadlines that go past it are not seen.
//
// Each direction carries one Read or Write at a time; others wait their turn,
// as on a socket. Empty Reads and Writes fire nothing, and a passed deadline
// comes before a fault. Faulty starts no goroutine. Stalls are durably blocked
// in a testing/synctest bubble if the wrapper was made inside it.
func Faulty(conn net.Conn, faults ...*Fault) net.Conn {
	idle, _ := Pipe(Buffer(0), NoHalfClose(), Addrs(named(conn.LocalAddr()), named(conn.RemoteAddr())))
	c := &faultyConn{
		Conn:   conn,
		idle:   idle.(*pipeConn),
		reads:  newSide(opRead, faults),
		writes: newSide(opWrite, faults),
	}
	if half, ok := conn.(closeWriter); ok {
		c.closeWrite = half.CloseWrite
		return halfFaultyConn{c}
	}
	return c
}

// named replaces the nil that some connections have for an address.
func named(addr net.Addr) net.Addr {
	if addr == nil {
		return Addr("unnamed")
	}
	return addr
}

type closeWriter interface{ CloseWrite() error }

// faultyConn lets bytes pass to the embedded connection up to the next fault.
type faultyConn struct {
	net.Conn
	closeWrite    func() error // Conn's; nil if it has none
	idle          *pipeConn    // its other end does nothing: stalls happen on it
	reads, writes *side

	mu   sync.Mutex // guards gone and both sides' err; orders deadlines and faults
	gone bool       // a fault has closed Conn
}

func (c *faultyConn) Read(p []byte) (int, error) {
	c.reads.lock()
	defer c.reads.unlock()
	return c.pass(c.reads, p)
}

func (c *faultyConn) Write(p []byte) (int, error) {
	c.writes.lock()
	defer c.writes.unlock()
	n := 0
	for {
		m, err := c.pass(c.writes, p[n:])
		n += m
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// pass lets as much of p pass at once as may, or makes the fault happen that is
// due. The caller holds the turn of s. The error of a fault that has ended the
// direction wins over what the connection says, because the fault may have
// closed it meanwhile.
func (c *faultyConn) pass(s *side, p []byte) (int, error) {
	if err := c.ended(s); err != nil {
		return 0, err
	}
	n, err := c.passOrFail(s, p)
	if ended := c.ended(s); ended != nil {
		err = ended
	}
	return n, err
}

func (c *faultyConn) passOrFail(s *side, p []byte) (int, error) {
	limit, due := s.next(len(p))
	if due != nil {
		return 0, c.happen(due, s, p)
	}
	n, err := s.move(c.Conn, p[:limit])
	s.passed(n, len(p))
	return n, err
}

// happen makes f happen to an operation on p. It returns the operation's error,
// nil if the direction has ended.
func (c *faultyConn) happen(f *armed, s *side, p []byte) error {
	if err := c.idle.lapsed(s.op); err != nil {
		return err
	}
	f.fire()
	switch f.act {
	case short:
		return io.ErrShortWrite
	case stall:
		_, err := s.move(c.idle, p)
		return err
	case reset:
		c.reset()
	case cut:
		c.cut(s)
	}
	return nil
}

// reset ends both directions and resets the peer if Conn knows how.
func (c *faultyConn) reset() {
	c.end(c.reads, syscall.ECONNRESET)
	c.end(c.writes, syscall.ECONNRESET)
	c.closeConn(true)
	c.interrupt()
}

// cut ends the input, or after the output everything.
func (c *faultyConn) cut(s *side) {
	c.end(c.reads, io.EOF)
	if s == c.reads {
		return
	}
	c.end(c.writes, syscall.EPIPE)
	if c.closeWrite != nil {
		_ = c.closeWrite()
	} else {
		c.closeConn(false)
	}
	c.interrupt()
}

// end makes all operations of s fail from now on.
func (c *faultyConn) end(s *side, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.err = err
}

// closeConn closes Conn on behalf of a fault.
func (c *faultyConn) closeConn(abort bool) {
	c.mu.Lock()
	c.gone = true
	c.mu.Unlock()
	if abort {
		resetOnClose(c.Conn)
	}
	_ = c.Conn.Close()
}

// interrupt wakes what is blocked after both directions have ended. No deadline
// is set any more by then, so nothing goes back to sleep.
func (c *faultyConn) interrupt() {
	past := time.Unix(1, 0)
	_ = c.idle.SetDeadline(past)
	_ = c.Conn.SetDeadline(past)
}

// resetOnClose makes Close a reset on a connection that can do that.
func resetOnClose(conn net.Conn) {
	switch c := conn.(type) {
	case interface{ SetLinger(sec int) error }:
		_ = c.SetLinger(0)
	case interface{ inner() net.Conn }:
		resetOnClose(c.inner())
	}
}

func (c *faultyConn) inner() net.Conn { return c.Conn }

// ended returns the error of the fault that has ended s, nil if none has.
func (c *faultyConn) ended(s *side) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.idle.opError(s.op, s.err)
}
