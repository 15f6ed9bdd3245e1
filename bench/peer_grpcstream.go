package main

import (
	"bytes"
	"context"
	"sync/atomic"

	"google.golang.org/grpc"
)

// newGRPCStream returns gRPC-Go with messages of one bidirectional stream as tasks, which spares
// it the cost of a call for each.
func newGRPCStream() peer {
	return grpcPeer{func(c *grpc.ClientConn) session {
		return &grpcStreamSession{grpcSession: grpcSession{c: c}}
	}}
}

type grpcStreamSession struct {
	grpcSession
	stream grpc.ClientStream
}

// open opens the stream, once.
func (s *grpcStreamSession) open() (err error) {
	if s.stream == nil {
		s.stream, err = s.c.NewStream(context.Background(), &grpcEchoes, "/bench.Work/Echoes")
	}
	return err
}

func (s *grpcStreamSession) send(p []byte) error { return s.stream.SendMsg(&message{p}) }

func (s *grpcStreamSession) receive(p []byte) error {
	err := s.stream.RecvMsg(&s.answer)
	if err == nil && !bytes.Equal(s.answer.b, p) {
		err = errWrongEcho
	}
	return err
}

func (s *grpcStreamSession) roundTrip(p []byte) error {
	if err := s.open(); err != nil {
		return err
	}
	if err := s.send(p); err != nil {
		return err
	}
	return s.receive(p)
}

func (s *grpcStreamSession) pipeline(p []byte, size int, stop *atomic.Bool) (int64, error) {
	if err := s.open(); err != nil {
		return 0, err
	}
	return ordered(size, stop,
		func() error { return s.send(p) },
		func() error { return s.receive(p) })
}
