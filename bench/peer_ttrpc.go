package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"sync/atomic"

	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// ttrpcPeer is containerd's ttrpc. Its messages must be protobuf's: BytesValue is one field of
// bytes.
type ttrpcPeer struct{}

func newTTRPC() peer { return ttrpcPeer{} }

const ttrpcName = "bench.Work"

var ttrpcService = ttrpc.ServiceDesc{
	Methods: map[string]ttrpc.Method{"Echo": ttrpcEcho},
	Streams: map[string]ttrpc.Stream{
		"Up":   {Handler: ttrpcUp, StreamingClient: true},
		"Down": {Handler: ttrpcDown, StreamingServer: true},
	},
}

func ttrpcEcho(_ context.Context, unmarshal func(any) error) (any, error) {
	var m wrapperspb.BytesValue
	if err := unmarshal(&m); err != nil {
		return nil, err
	}
	work(m.Value)
	return &m, nil
}

func ttrpcUp(_ context.Context, s ttrpc.StreamServer) (any, error) {
	for {
		if err := s.RecvMsg(new(wrapperspb.BytesValue)); err != nil {
			return new(wrapperspb.BytesValue), ignoreEOF(err)
		}
	}
}

func ttrpcDown(_ context.Context, s ttrpc.StreamServer) (any, error) {
	var m wrapperspb.BytesValue
	if err := s.RecvMsg(&m); err != nil {
		return nil, err
	}
	for n := int64(binary.BigEndian.Uint64(m.Value[1:])); n > 0; n -= chunkSize {
		if err := s.SendMsg(wrapperspb.Bytes(zeros[:])); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (ttrpcPeer) serve(l net.Listener) error {
	s, err := ttrpc.NewServer()
	if err != nil {
		return err
	}
	s.RegisterService(ttrpcName, &ttrpcService)
	return s.Serve(context.Background(), l)
}

func (ttrpcPeer) dial(addr string) (session, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &ttrpcSession{c: ttrpc.NewClient(conn)}, nil
}

type ttrpcSession struct {
	c      *ttrpc.Client
	answer wrapperspb.BytesValue
}

func (s *ttrpcSession) Close() error { return s.c.Close() }

func (s *ttrpcSession) roundTrip(p []byte) error { return s.call(p, &s.answer) }

func (s *ttrpcSession) call(p []byte, answer *wrapperspb.BytesValue) error {
	err := s.c.Call(context.Background(), ttrpcName, "Echo", wrapperspb.Bytes(p), answer)
	if err == nil && !bytes.Equal(answer.Value, p) {
		err = errWrongEcho
	}
	return err
}

func (s *ttrpcSession) pipeline(p []byte, size int, stop *atomic.Bool) (int64, error) {
	answers := make([]wrapperspb.BytesValue, size)
	return concurrently(size, stop, func(i int) error { return s.call(p, &answers[i]) })
}

func (s *ttrpcSession) up(n int64) error {
	st, err := s.c.NewStream(context.Background(), &ttrpc.StreamDesc{StreamingClient: true}, ttrpcName, "Up", nil)
	if err != nil {
		return err
	}
	for ; n > 0; n -= chunkSize {
		if err := st.SendMsg(wrapperspb.Bytes(zeros[:])); err != nil {
			return err
		}
	}
	if err := st.CloseSend(); err != nil {
		return err
	}
	return st.RecvMsg(&s.answer)
}

func (s *ttrpcSession) down(n int64) error {
	desc := &ttrpc.StreamDesc{StreamingServer: true}
	request := wrapperspb.Bytes(streamRequest(opDown, n))
	st, err := s.c.NewStream(context.Background(), desc, ttrpcName, "Down", request)
	if err != nil {
		return err
	}
	for {
		if err := st.RecvMsg(&s.answer); err != nil {
			return ignoreEOF(err)
		}
	}
}
