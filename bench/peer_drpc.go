package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync/atomic"

	"storj.io/drpc"
	"storj.io/drpc/drpcconn"
	"storj.io/drpc/drpcmux"
	"storj.io/drpc/drpcserver"
)

// drpcPeer is storj.io/drpc with its defaults, without protobuf.
type drpcPeer struct{}

func newDRPC() peer { return drpcPeer{} }

// bytesEncoding passes the bytes of a *message.
type bytesEncoding struct{}

func (bytesEncoding) Marshal(m drpc.Message) ([]byte, error) { return m.(*message).b, nil }

func (bytesEncoding) MarshalAppend(buf []byte, m drpc.Message) ([]byte, error) {
	return append(buf, m.(*message).b...), nil
}

func (bytesEncoding) Unmarshal(buf []byte, m drpc.Message) error {
	m.(*message).b = append(m.(*message).b[:0], buf...)
	return nil
}

// drpcWork is the service.
type drpcWork struct{}

func (drpcWork) echo(_ context.Context, m *message) (*message, error) {
	work(m.b)
	return m, nil
}

func (drpcWork) echoes(s drpc.Stream) error {
	var m message
	for {
		if err := s.MsgRecv(&m, bytesEncoding{}); err != nil {
			return ignoreEOF(err)
		}
		work(m.b)
		if err := s.MsgSend(&m, bytesEncoding{}); err != nil {
			return err
		}
	}
}

func (drpcWork) up(s drpc.Stream) error {
	var m message
	for {
		if err := s.MsgRecv(&m, bytesEncoding{}); err == io.EOF {
			return s.MsgSend(&message{}, bytesEncoding{})
		} else if err != nil {
			return err
		}
	}
}

func (drpcWork) down(m *message, s drpc.Stream) error {
	for n := streamLen(m.b); n > 0; n -= chunkSize {
		if err := s.MsgSend(&message{zeros[:]}, bytesEncoding{}); err != nil {
			return err
		}
	}
	return nil
}

// drpcMethod is one method, as protoc-gen-go-drpc would describe it.
type drpcMethod struct {
	name     string
	receiver drpc.Receiver
	method   any
}

// drpcMethods is the description of the service.
type drpcMethods []drpcMethod

func (d drpcMethods) NumMethods() int { return len(d) }

func (d drpcMethods) Method(n int) (string, drpc.Encoding, drpc.Receiver, any, bool) {
	if n < 0 || n >= len(d) {
		return "", nil, nil, nil, false
	}
	return d[n].name, bytesEncoding{}, d[n].receiver, d[n].method, true
}

var drpcService = drpcMethods{
	{"/bench.Work/Echo", func(s any, ctx context.Context, in, _ any) (drpc.Message, error) {
		return s.(drpcWork).echo(ctx, in.(*message))
	}, drpcWork.echo},
	{"/bench.Work/Echoes", func(s any, _ context.Context, in, _ any) (drpc.Message, error) {
		return nil, s.(drpcWork).echoes(in.(drpc.Stream))
	}, drpcWork.echoes},
	{"/bench.Work/Up", func(s any, _ context.Context, in, _ any) (drpc.Message, error) {
		return nil, s.(drpcWork).up(in.(drpc.Stream))
	}, drpcWork.up},
	{"/bench.Work/Down", func(s any, _ context.Context, in, stream any) (drpc.Message, error) {
		return nil, s.(drpcWork).down(in.(*message), stream.(drpc.Stream))
	}, drpcWork.down},
}

func (drpcPeer) serve(l net.Listener) error {
	mux := drpcmux.New()
	if err := mux.Register(drpcWork{}, drpcService); err != nil {
		return err
	}
	return drpcserver.New(mux).Serve(context.Background(), l)
}

func (drpcPeer) dial(addr string) (session, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &drpcSession{c: drpcconn.New(conn)}, nil
}

type drpcSession struct {
	c      *drpcconn.Conn
	out    message
	answer message
}

func (s *drpcSession) Close() error { return s.c.Close() }

func (s *drpcSession) roundTrip(p []byte) error {
	s.out.b = p
	err := s.c.Invoke(context.Background(), "/bench.Work/Echo", bytesEncoding{}, &s.out, &s.answer)
	if err == nil && !bytes.Equal(s.answer.b, p) {
		err = errWrongEcho
	}
	return err
}

// stream runs f on a stream and closes it.
func (s *drpcSession) stream(name string, f func(drpc.Stream) error) error {
	st, err := s.c.NewStream(context.Background(), "/bench.Work/"+name, bytesEncoding{})
	if err != nil {
		return err
	}
	err = f(st)
	if cerr := st.Close(); err == nil {
		err = cerr
	}
	return err
}

func (s *drpcSession) pipeline(p []byte, size int, stop *atomic.Bool) (answered int64, err error) {
	s.out.b = p
	err = s.stream("Echoes", func(st drpc.Stream) (err error) {
		answered, err = ordered(size, stop,
			func() error { return st.MsgSend(&s.out, bytesEncoding{}) },
			func() error {
				if err := st.MsgRecv(&s.answer, bytesEncoding{}); err != nil {
					return err
				}
				if !bytes.Equal(s.answer.b, p) {
					return errWrongEcho
				}
				return nil
			})
		return err
	})
	return answered, err
}

func (s *drpcSession) up(n int64) error {
	return s.stream("Up", func(st drpc.Stream) error {
		for ; n > 0; n -= chunkSize {
			if err := st.MsgSend(&message{zeros[:]}, bytesEncoding{}); err != nil {
				return err
			}
		}
		if err := st.CloseSend(); err != nil {
			return err
		}
		return st.MsgRecv(&s.answer, bytesEncoding{})
	})
}

func (s *drpcSession) down(n int64) error {
	return s.stream("Down", func(st drpc.Stream) error {
		if err := st.MsgSend(&message{streamRequest(opDown, n)}, bytesEncoding{}); err != nil {
			return err
		}
		if err := st.CloseSend(); err != nil {
			return err
		}
		for {
			if err := st.MsgRecv(&s.answer, bytesEncoding{}); err != nil {
				return ignoreEOF(err)
			}
		}
	})
}
