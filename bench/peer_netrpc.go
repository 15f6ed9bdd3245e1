package main

import (
	"bytes"
	"net"
	"net/rpc"
	"sync/atomic"
)

// netRPC is the standard library's net/rpc with its own codec, gob.
type netRPC struct{}

func newNetRPC() peer { return netRPC{} }

// Work is the service.
type Work struct{}

// Echo is a task.
func (Work) Echo(p []byte, answer *[]byte) error {
	work(p)
	*answer = p
	return nil
}

// Up takes a piece of a stream.
func (Work) Up(_ []byte, _ *bool) error { return nil }

// Down gives a piece of a stream.
func (Work) Down(n int, piece *[]byte) error {
	*piece = zeros[:n]
	return nil
}

func (netRPC) serve(l net.Listener) error {
	s := rpc.NewServer()
	if err := s.Register(Work{}); err != nil {
		return err
	}
	return acceptAll(l, func(conn net.Conn) { s.ServeConn(conn) })
}

func (netRPC) dial(addr string) (session, error) {
	c, err := rpc.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &netRPCSession{c: c}, nil
}

type netRPCSession struct {
	c   *rpc.Client
	buf []byte
}

func (s *netRPCSession) Close() error { return s.c.Close() }

func (s *netRPCSession) roundTrip(p []byte) error {
	if err := s.c.Call("Work.Echo", p, &s.buf); err != nil {
		return err
	}
	if !bytes.Equal(s.buf, p) {
		return errWrongEcho
	}
	return nil
}

func (s *netRPCSession) pipeline(p []byte, size int, stop *atomic.Bool) (int64, error) {
	start := func(done chan *rpc.Call, answer any) {
		s.c.Go("Work.Echo", p, answer, done)
	}
	return s.calls(size, start, func() any { return new([]byte) }, func(call *rpc.Call) (bool, error) {
		if !bytes.Equal(*call.Reply.(*[]byte), p) {
			return false, errWrongEcho
		}
		return !stop.Load(), nil
	})
}

// calls keeps size calls under way until more says that there are to be none. It returns how many
// were answered.
func (s *netRPCSession) calls(size int, start func(chan *rpc.Call, any), answer func() any, more func(*rpc.Call) (bool, error)) (int64, error) {
	done := make(chan *rpc.Call, size)
	for range size {
		start(done, answer())
	}
	var answered int64
	for under := size; under > 0; answered++ {
		call := <-done
		if call.Error != nil {
			return answered, call.Error
		}
		again, err := more(call)
		if err != nil {
			return answered, err
		}
		if again {
			start(done, call.Reply)
		} else {
			under--
		}
	}
	return answered, nil
}

// netRPCPieces is how many pieces of a stream are under way.
const netRPCPieces = 8

// pieces returns a more for n bytes in pieces. N is a multiple of 8 pieces.
func pieces(n int64) func(*rpc.Call) (bool, error) {
	left := n/chunkSize - netRPCPieces
	return func(*rpc.Call) (bool, error) {
		left--
		return left >= 0, nil
	}
}

func (s *netRPCSession) up(n int64) error {
	start := func(done chan *rpc.Call, answer any) { s.c.Go("Work.Up", zeros[:], answer, done) }
	_, err := s.calls(netRPCPieces, start, func() any { return new(bool) }, pieces(n))
	return err
}

func (s *netRPCSession) down(n int64) error {
	start := func(done chan *rpc.Call, answer any) { s.c.Go("Work.Down", chunkSize, answer, done) }
	_, err := s.calls(netRPCPieces, start, func() any { return new([]byte) }, pieces(n))
	return err
}
