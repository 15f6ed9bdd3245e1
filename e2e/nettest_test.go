package e2e_test

import (
	"fmt"
	"net"
	"testing"

	"github.com/serialkit/serialkit/serialtest"
	"golang.org/x/net/nettest"
)

func pipes(opts ...serialtest.Option) nettest.MakePipe {
	return func() (c1, c2 net.Conn, stop func(), err error) {
		c1, c2 = serialtest.Pipe(opts...)
		return c1, c2, func() { c1.Close(); c2.Close() }, nil
	}
}

func TestPipeIsANetConn(t *testing.T) {
	for _, size := range []int{0, 1, 4096, serialtest.DefaultBuffer} {
		t.Run(fmt.Sprintf("buffer %d", size), func(t *testing.T) {
			nettest.TestConn(t, pipes(serialtest.Buffer(size)))
		})
	}
}

// faulty wraps both ends of what makePipe makes. The faults are made anew for
// each end.
func faulty(makePipe nettest.MakePipe, faults func() []*serialtest.Fault) nettest.MakePipe {
	return func() (c1, c2 net.Conn, stop func(), err error) {
		c1, c2, stop, err = makePipe()
		if err != nil {
			return nil, nil, nil, err
		}
		return serialtest.Faulty(c1, faults()...), serialtest.Faulty(c2, faults()...), stop, nil
	}
}

func tcp() (c1, c2 net.Conn, stop func(), err error) {
	listener, err := nettest.NewLocalListener("tcp")
	if err != nil {
		return nil, nil, nil, err
	}
	defer listener.Close()
	if c1, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		return nil, nil, nil, err
	}
	if c2, err = listener.Accept(); err != nil {
		c1.Close()
		return nil, nil, nil, err
	}
	return c1, c2, func() { c1.Close(); c2.Close() }, nil
}

// A connection stays one while no fault happens, and while bytes only come in
// pieces.
func TestFaultyIsANetConn(t *testing.T) {
	none := func() []*serialtest.Fault { return nil }
	pieces := func() []*serialtest.Fault {
		return []*serialtest.Fault{serialtest.ChunkReads(97), serialtest.ChunkWrites(61)}
	}
	for name, inner := range map[string]nettest.MakePipe{
		"unbuffered": pipes(serialtest.Buffer(0)),
		"buffered":   pipes(),
		"tcp":        tcp,
	} {
		t.Run(name+" without faults", func(t *testing.T) { nettest.TestConn(t, faulty(inner, none)) })
		t.Run(name+" in pieces", func(t *testing.T) { nettest.TestConn(t, faulty(inner, pieces)) })
	}
}
