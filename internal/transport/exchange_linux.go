package transport

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// Exchange writes a request and waits for the response in one visit to the poller. A Read of a net.Conn
// begins with a system call that finds nothing, because the response is still to come. Here that call is
// made before the write, where what it finds is something nobody has asked for, and the wait begins
// right after the write. It reads and writes the socket itself, so it is for sockets alone and not for
// what wraps them.
//
// One goroutine uses it, which owns the input and the output.
type Exchange struct {
	in  *Input
	out *Output
	raw syscall.RawConn
	run func(fd uintptr) bool // step

	state exchangeState
}

// exchangeState says what an Exchange has done.
type exchangeState uint8

const (
	exchangeNothing exchangeState = iota
	exchangeUnasked               // there was something to read before anything was written
	exchangeWritten               // as much as the socket took at once
	exchangeRead                  // and then there was something to read
)

// NewExchange returns the Exchange of a connection with the input and the output, nil if it can have none.
func NewExchange(in *Input, out *Output) *Exchange {
	conn, ok := socket(in.conn.conn)
	if !ok {
		return nil
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	x := &Exchange{in: in, out: out, raw: raw}
	x.run = x.step
	return x
}

// Do, now, writes what the output has buffered, and then waits for input for at most d and a second. What it
// reads is buffered in the input, whose buffer must be empty. It reports true, and has written nothing,
// if there was input, an end or an error before.
//
// Whatever else happens is for the usual Flush and Wait to find out: they do what is left to do.
func (x *Exchange) Do(now time.Time, d time.Duration) (unasked bool) {
	if x.in.err != nil || x.out.err != nil {
		return false
	}
	x.in.Acquire()
	x.state = exchangeNothing
	if d <= 0 || d > idleAfter {
		d = idleAfter
	}
	err := x.in.conn.beginRead(now.Add(d))
	for err == nil && x.state == exchangeNothing {
		if err = x.raw.Read(x.run); err != nil {
			err = x.in.conn.in.again(err) // nil: the deadline was that of an earlier read
		}
	}
	return x.state == exchangeUnasked
}

// step is called when the socket is first looked at, and then whenever it may have input. It returns
// false to wait for that.
func (x *Exchange) step(fd uintptr) bool {
	switch found := x.read(int(fd)); {
	case found && x.state == exchangeNothing:
		x.state = exchangeUnasked
		return true
	case found:
		x.state = exchangeRead
		return true
	case x.state == exchangeNothing:
		x.state = exchangeWritten
		return !x.write(int(fd))
	default:
		return false
	}
}

// read reads once. It reports whether there was input, an end or an error.
func (x *Exchange) read(fd int) bool {
	in := x.in
	n, err := ignoringEINTR(syscall.Read, fd, in.buf)
	switch {
	case err == syscall.EAGAIN:
		return false
	case err != nil:
		in.err = x.opError("read", err)
	case n == 0:
		in.err = io.EOF
	default:
		in.r, in.w, in.bulk = 0, n, n >= BufferSize
	}
	return true
}

// write writes what is buffered. It reports whether the socket took it all.
func (x *Exchange) write(fd int) bool {
	out := x.out
	out.offered.Store(out.sent + uint64(out.n))
	n, err := ignoringEINTR(syscall.Write, fd, out.buf[:out.n])
	out.took(max(n, 0))
	if err != nil && err != syscall.EAGAIN {
		out.err = x.opError("write", err)
	}
	return err == nil && out.n == 0
}

func (x *Exchange) opError(op string, err error) error {
	conn := x.in.conn.conn
	return &net.OpError{Op: op, Net: conn.RemoteAddr().Network(), Source: conn.LocalAddr(), Addr: conn.RemoteAddr(),
		Err: os.NewSyscallError(op, err)}
}

// ignoringEINTR makes a system call until no signal interrupts it.
func ignoringEINTR(call func(fd int, p []byte) (int, error), fd int, p []byte) (int, error) {
	for {
		n, err := call(fd, p)
		if err != syscall.EINTR {
			return n, err
		}
	}
}
