package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
)

// grpcPeer is gRPC-Go with its defaults, without TLS and without protobuf.
type grpcPeer struct {
	newSession func(*grpc.ClientConn) session
}

func newGRPC() peer {
	return grpcPeer{func(c *grpc.ClientConn) session { return &grpcSession{c: c} }}
}

// message is what the RPC peers pass: bytes.
type message struct{ b []byte }

// bytesCodec passes the bytes of a *message.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "bytes" }

func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.(*message).b)}, nil
}

func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	m := v.(*message)
	n := data.Len()
	if cap(m.b) < n {
		m.b = make([]byte, n)
	}
	m.b = m.b[:n]
	data.CopyTo(m.b)
	return nil
}

// The descriptions of the streams, for both sides.
var (
	grpcEchoes = grpc.StreamDesc{StreamName: "Echoes", Handler: grpcServeEchoes, ServerStreams: true, ClientStreams: true}
	grpcUp     = grpc.StreamDesc{StreamName: "Up", Handler: grpcServeUp, ClientStreams: true}
	grpcDown   = grpc.StreamDesc{StreamName: "Down", Handler: grpcServeDown, ServerStreams: true}
)

var grpcService = grpc.ServiceDesc{
	ServiceName: "bench.Work",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Echo", Handler: grpcServeEcho}},
	Streams:     []grpc.StreamDesc{grpcEchoes, grpcUp, grpcDown},
}

func grpcServeEcho(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	m := new(message)
	if err := decode(m); err != nil {
		return nil, err
	}
	work(m.b)
	return m, nil
}

func grpcServeEchoes(_ any, s grpc.ServerStream) error {
	for {
		m := new(message) // what SendMsg was given is not ours until it is sent
		if err := s.RecvMsg(m); err != nil {
			return ignoreEOF(err)
		}
		work(m.b)
		if err := s.SendMsg(m); err != nil {
			return err
		}
	}
}

func grpcServeUp(_ any, s grpc.ServerStream) error {
	var m message
	for {
		if err := s.RecvMsg(&m); err == io.EOF {
			return s.SendMsg(&message{})
		} else if err != nil {
			return err
		}
	}
}

func grpcServeDown(_ any, s grpc.ServerStream) error {
	var m message
	if err := s.RecvMsg(&m); err != nil {
		return err
	}
	for n := streamLen(m.b); n > 0; n -= chunkSize {
		if err := s.SendMsg(&message{zeros[:]}); err != nil {
			return err
		}
	}
	return nil
}

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

func (grpcPeer) serve(l net.Listener) error {
	s := grpc.NewServer(grpc.ForceServerCodecV2(bytesCodec{}))
	s.RegisterService(&grpcService, nil)
	return s.Serve(l)
}

func (g grpcPeer) dial(addr string) (session, error) {
	c, err := grpc.NewClient("passthrough:///"+addr,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(bytesCodec{}), grpc.WaitForReady(true)))
	if err != nil {
		return nil, err
	}
	c.Connect()
	return g.newSession(c), nil
}

type grpcSession struct {
	c      *grpc.ClientConn
	answer message
}

func (s *grpcSession) Close() error { return s.c.Close() }

func (s *grpcSession) roundTrip(p []byte) error { return s.call(p, &s.answer) }

func (s *grpcSession) call(p []byte, answer *message) error {
	err := s.c.Invoke(context.Background(), "/bench.Work/Echo", &message{p}, answer)
	if err == nil && !bytes.Equal(answer.b, p) {
		err = errWrongEcho
	}
	return err
}

func (s *grpcSession) pipeline(p []byte, size int, stop *atomic.Bool) (int64, error) {
	answers := make([]message, size)
	return concurrently(size, stop, func(i int) error { return s.call(p, &answers[i]) })
}

func (s *grpcSession) up(n int64) error {
	st, err := s.c.NewStream(context.Background(), &grpcUp, "/bench.Work/Up")
	if err != nil {
		return err
	}
	for ; n > 0; n -= chunkSize {
		if err := st.SendMsg(&message{zeros[:]}); err != nil {
			return err
		}
	}
	if err := st.CloseSend(); err != nil {
		return err
	}
	return st.RecvMsg(&message{})
}

func (s *grpcSession) down(n int64) error {
	st, err := s.c.NewStream(context.Background(), &grpcDown, "/bench.Work/Down")
	if err != nil {
		return err
	}
	if err := st.SendMsg(&message{streamRequest(opDown, n)}); err != nil {
		return err
	}
	if err := st.CloseSend(); err != nil {
		return err
	}
	for {
		if err := st.RecvMsg(&s.answer); err != nil {
			return ignoreEOF(err)
		}
	}
}
