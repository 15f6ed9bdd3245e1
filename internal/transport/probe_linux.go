package transport

import (
	"net"
	"syscall"
)

// Probe is InputWaiting for one connection, again and again without allocating. One goroutine at a time
// uses it.
type Probe struct {
	raw    syscall.RawConn // nil: the kernel cannot be asked
	ask    func(fd uintptr)
	closed bool // on this side

	waiting, ok bool // what ask found
}

// NewProbe returns a Probe of conn.
func NewProbe(conn net.Conn) *Probe {
	p := new(Probe)
	if sc, ok := socket(conn); ok {
		raw, err := sc.SyscallConn()
		p.raw, p.closed = raw, err != nil
	}
	p.ask = p.recv
	return p
}

// socket returns conn if it is a socket itself. What embeds one may have a Read of its own, which has
// taken what the kernel gave.
func socket(conn net.Conn) (syscall.Conn, bool) {
	switch conn := conn.(type) {
	case *net.TCPConn:
		return conn, true
	case *net.UnixConn:
		return conn, true
	}
	return nil, false
}

// InputWaiting reports whether the kernel has input, an end or an error for whoever reads the
// connection next. ok is false where it cannot be asked.
func (p *Probe) InputWaiting() (waiting, ok bool) {
	switch {
	case p.closed:
		return true, true
	case p.raw == nil:
		return false, false
	}
	if err := p.raw.Control(p.ask); err != nil {
		return true, true // closed on this side
	}
	return p.waiting && p.ok, p.ok
}

// recv looks at the input without taking anything.
func (p *Probe) recv(fd uintptr) {
	var b [1]byte
	_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	p.waiting = err != syscall.EAGAIN && err != syscall.EINTR
	p.ok = err != syscall.ENOTSOCK
}
