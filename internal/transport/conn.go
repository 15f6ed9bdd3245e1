package transport

import (
	"io"
	"net"
	"syscall"
	"time"
)

// attempts is how many times in a row a connection may return neither a byte nor an error that
// counts before it is given up as broken.
const attempts = 100

// writeSteps is into how many parts the timeout of a blocked write is cut to see whether there was
// progress: a peer that stalls in the middle is found at most 1/writeSteps late.
const writeSteps = 128

// Rate is the least speed at which a peer must move bytes while this side is blocked on it.
type Rate struct {
	// BytesPerSecond is the speed; 0 or less: no minimum.
	BytesPerSecond int
	// Window is the blocked time over which it is measured.
	Window time.Duration
}

// Conn is a net.Conn with rolling deadlines and a minimum rate. It is the one place where
// deadlines are set. Rolling means that each byte that moves grants the full timeout anew.
//
// One goroutine reads and one writes; the other methods are safe for concurrent use.
type Conn struct {
	conn net.Conn

	// Panicked makes an error of what the connection below has panicked with, in a goroutine of this package's: of
	// ReadAhead, or of the timer of Lend. It is called by the deferred function, so that it finds the stack. The
	// connection fails with the error. nil: the panic goes on. Set once.
	Panicked func(value any) error

	in, out deadline

	input *Input // what reads it ahead; nil: nothing does. Set by NewInput

	readPace  pace // owned by the reader
	writePace pace // owned by the writer

	wrote time.Time // when the latest WriteWithin was over; owned by the writer

	secured secured // the connection is TLS, or has it below: see tls; nil: it has not; never changes, as the next two
	tls     bool    // its reads may write, and no write may follow one that timed out
	stepped bool    // a write that timed out says exactly how much it wrote
}

// NewConn returns a Conn over conn. Both directions must keep to the minimum rate.
func NewConn(conn net.Conn, rate Rate) *Conn {
	c := &Conn{conn: conn, readPace: newPace(rate), writePace: newPace(rate)}
	_, c.stepped = conn.(syscall.Conn)
	c.secured = securedOf(conn)
	c.tls = c.secured != nil
	c.in.set, c.in.lazy = conn.SetReadDeadline, true
	c.out.set, c.out.lazy = conn.SetWriteDeadline, c.stepped
	return c
}

// Resumable reports whether a write may follow one that timed out or was interrupted.
func (c *Conn) Resumable() bool { return !c.tls }

// recovered, deferred, makes an error of a panic.
func (c *Conn) recovered(err *error) {
	if c.Panicked == nil {
		return
	}
	if v := recover(); v != nil {
		*err = c.Panicked(v)
	}
}

// NetConn returns the connection below.
func (c *Conn) NetConn() net.Conn { return c.conn }

// BeginMessage sets the minimum rate from now on, and for how long this side may be blocked on the peer in
// all until the next BeginMessage, in each direction; 0 or less: without a bound. Whoever reads and writes
// calls it.
func (c *Conn) BeginMessage(rate Rate, total time.Duration) {
	c.readPace.begin(rate, total)
	c.writePace.begin(rate, total)
}

// Close closes the connection. What is blocked returns. A TLS connection says close_notify first, for
// which crypto/tls waits for up to 5 s.
func (c *Conn) Close() error { return c.conn.Close() }

// Abort closes the connection at once, without a word. What is blocked returns.
func (c *Conn) Abort() error {
	below, ok := c.secured.(interface{ NetConn() net.Conn })
	if !ok {
		return c.conn.Close()
	}
	err := below.NetConn().Close()
	c.conn.Close() // which has nobody to wait for
	return err
}

// InterruptRead makes a blocked read, and all that follow, fail with ErrInterrupted until Resume.
func (c *Conn) InterruptRead() { c.in.interrupt() }

// InterruptWrite makes a blocked write, and all that follow, fail with ErrInterrupted until
// Resume.
func (c *Conn) InterruptWrite() { c.out.interrupt() }

// ResumeRead ends the effect of InterruptRead. The caller makes sure that no read is blocked.
func (c *Conn) ResumeRead() { c.in.resume() }

// ResumeWrite ends the effect of InterruptWrite. The caller makes sure that no write is blocked.
func (c *Conn) ResumeWrite() { c.out.resume() }

// SetReadDeadline moves the deadline of the read that another goroutine is blocked in.
func (c *Conn) SetReadDeadline(until time.Time) {
	c.in.move(until)
	c.restWrites(until)
}

// beginRead arms the deadline of a read. Each read of the connection follows one.
func (c *Conn) beginRead(until time.Time) error {
	c.restWrites(until)
	return c.in.begin(until)
}

// restWrites bounds by the deadline of a read what that read writes: a TLS peer may ask for an answer at
// any time (KeyUpdate, RFC 8446, 4.6.3). With the deadline of the last write, long over, that would break
// the connection.
func (c *Conn) restWrites(until time.Time) {
	if c.tls {
		c.out.rest(until)
	}
}

// Read reads once. It waits for the first byte until the deadline; the zero time means for ever.
func (c *Conn) Read(p []byte, until time.Time) (int, error) {
	if err := c.beginRead(until); err != nil {
		return 0, err
	}
	return c.read(p)
}

// read reads once, within the deadline that was begun.
func (c *Conn) read(p []byte) (int, error) {
	for range attempts {
		n, err := c.conn.Read(p)
		if n > 0 {
			return n, nil // an error that came with it comes again
		}
		if err == nil {
			continue
		}
		if err = c.in.again(err); err != nil {
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}

// ReadWithin reads once, waiting at most d for the first byte (d <= 0: for ever), and holds the
// peer to the minimum rate.
func (c *Conn) ReadWithin(p []byte, d time.Duration) (int, error) {
	now := time.Now()
	return c.readSince(now, now, p, d)
}

// readSince is ReadWithin, now, for a read that began before.
func (c *Conn) readSince(begin, now time.Time, p []byte, d time.Duration) (int, error) {
	for {
		until := earlier(after(begin, d), c.readPace.deadline(now))
		n, err := c.Read(p, until)
		end := time.Now()
		slow := c.readPace.moved(n, end.Sub(now))
		now = end
		switch {
		case n == 0 && err != ErrTimeout:
			return 0, err
		case slow != nil:
			return 0, slow
		case n > 0:
			return n, nil
		case d > 0 && end.Sub(begin) >= d:
			return 0, ErrTimeout
		}
	}
}

// WriteWithin writes all of p. It fails when the peer takes no byte for d (d <= 0: for ever), or
// stays below the minimum rate. It returns how many bytes the connection took.
//
// Where the connection cannot say in the middle of a write how far it is, as TLS cannot, the timeout
// holds for the write of each BufferSize bytes.
func (c *Conn) WriteWithin(p []byte, d time.Duration) (int, error) {
	if c.tls {
		defer c.out.end()
	}
	written := 0
	begin := time.Now()
	for now, progress := begin, begin; written < len(p); {
		part, last := p[written:], time.Time{}
		if c.tls {
			part, last = part[:min(len(part), BufferSize)], c.writePace.last(now)
		}
		n, err := c.writeOnce(part, now, after(progress, d), d)
		written += n
		end := time.Now()
		c.wrote = end
		slow := c.writePace.moved(n, c.blocked(end.Sub(now), d, err))
		now = end
		if n > 0 {
			progress = end
		}
		switch {
		case err != nil && err != ErrTimeout:
			return written, err
		case slow != nil:
			return written, slow
		case err == nil:
		case d > 0 && end.Sub(progress) >= d:
			return written, ErrTimeout
		case !last.IsZero() && !end.Before(last):
			return written, ErrTooSlow
		case c.tls:
			return written, ErrTimeout
		}
	}
	return written, nil
}

// blocked returns for how long a write that took so long, with the timeout d, was blocked on the peer. One that a socket has
// taken as a whole was not ended by its deadline, which was a step away at most: the rest is this process's, which
// has waited for a CPU.
func (c *Conn) blocked(took, d time.Duration, err error) time.Duration {
	if step := d / writeSteps; err == nil && c.stepped && step > 0 {
		return min(took, step)
	}
	return took
}

// writeOnce writes p, or as much of it as is taken before the first of three moments: the
// deadline, the end of the pace's window and, where progress can be seen, the next look at it.
func (c *Conn) writeOnce(p []byte, now, until time.Time, d time.Duration) (int, error) {
	if c.tls {
		until = earlier(until, c.writePace.last(now))
	} else {
		until = earlier(until, c.writePace.deadline(now))
	}
	if c.stepped {
		until = earlier(until, after(now, d/writeSteps))
	}
	if err := c.out.begin(until); err != nil {
		return 0, err
	}
	written := 0
	for tries := 0; tries < attempts; tries++ {
		n, err := c.conn.Write(p[written:])
		written += n
		if written == len(p) {
			return written, nil
		}
		if err == nil {
			return written, io.ErrShortWrite
		}
		if err = c.again(err); err != nil {
			return written, err
		}
		if n > 0 {
			tries = -1
		}
	}
	return written, io.ErrNoProgress
}

// again follows a write that failed with err. It returns nil if it is to be continued.
func (c *Conn) again(err error) error {
	if err = c.out.again(err); err == nil && c.tls {
		return ErrTimeout
	}
	return err
}
