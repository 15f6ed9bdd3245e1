package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialserver"
)

// The tasks of the Serialkit server.
const (
	taskEcho serial.TaskCode = iota + 1
	taskUp                   // anything -> nothing
	taskDown                 // uint64 n -> n bytes
)

// serialkit is this project, with its defaults.
type serialkit struct{}

func newSerialkit() peer { return serialkit{} }

func (serialkit) serve(l net.Listener) error {
	s := serialserver.New(nil)
	s.Register(taskEcho, echoTask, "echo")
	s.Register(taskUp, upTask, "up")
	s.Register(taskDown, downTask, "down")
	return acceptAll(l, func(conn net.Conn) {
		_ = s.HandleConnection(context.Background(), conn, nil, new(echoState))
	})
}

// echoState is the memory of a connection's echoes.
type echoState struct {
	message []byte
	answer  bytes.Reader
}

// echoTask reads the whole message, as the other peers do, and answers with it.
func echoTask(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, args ...any) (io.Reader, error) {
	s := args[0].(*echoState)
	if err := s.read(in); err != nil {
		return nil, err
	}
	work(s.message)
	s.answer.Reset(s.message)
	return &s.answer, nil
}

// read reads in to its end, into the memory of the message before.
func (s *echoState) read(in io.Reader) error {
	s.message = s.message[:0]
	for {
		if len(s.message) == cap(s.message) {
			s.message = append(s.message, make([]byte, max(128, len(s.message)))...)[:len(s.message)]
		}
		n, err := in.Read(s.message[len(s.message):cap(s.message)])
		s.message = s.message[:len(s.message)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func upTask(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...any) (io.Reader, error) {
	_, err := io.Copy(io.Discard, in)
	return nil, err
}

func downTask(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...any) (io.Reader, error) {
	n, err := in.ReadUint64()
	return io.LimitReader(zeroReader{}, int64(n)), err
}

// zeroReader is an endless source of zeros, at no cost.
type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { return len(p), nil }

func (serialkit) dial(addr string) (session, error) {
	c, err := serialclient.Dial(context.Background(), "tcp", addr, nil)
	if err != nil {
		return nil, err
	}
	return &serialkitSession{c: c}, nil
}

type serialkitSession struct {
	c   *serialclient.Client
	buf []byte
}

func (s *serialkitSession) Close() error { return s.c.Close() }

func (s *serialkitSession) roundTrip(p []byte) error {
	var err error
	s.buf, err = s.c.AppendCall(context.Background(), s.buf[:0], taskEcho, p)
	if err == nil && !bytes.Equal(s.buf, p) {
		err = errWrongEcho
	}
	return err
}

// pipeline is one goroutine that sends and receives in turn: Send never waits for responses.
func (s *serialkitSession) pipeline(p []byte, size int, stop *atomic.Bool) (int64, error) {
	pl, err := s.c.Pipeline(context.Background())
	if err != nil {
		return 0, err
	}
	defer pl.Close()
	for range size {
		if err := pl.Send(taskEcho, p); err != nil {
			return 0, err
		}
	}
	var answered int64
	for under := size; under > 0; answered++ {
		if s.buf, err = pl.Receive(s.buf[:0]); err != nil {
			return answered, err
		}
		if !bytes.Equal(s.buf, p) {
			return answered, errWrongEcho
		}
		if stop.Load() {
			under--
		} else if err := pl.Send(taskEcho, p); err != nil {
			return answered, err
		}
	}
	return answered, nil
}

func (s *serialkitSession) up(n int64) error {
	st, err := s.c.Stream(context.Background(), taskUp, io.LimitReader(zeroReader{}, n))
	if err != nil {
		return err
	}
	defer st.Close()
	_, err = io.Copy(io.Discard, st)
	return err
}

func (s *serialkitSession) down(n int64) error {
	request := binary.BigEndian.AppendUint64(nil, uint64(n))
	st, err := s.c.Stream(context.Background(), taskDown, bytes.NewReader(request))
	if err != nil {
		return err
	}
	defer st.Close()
	if s.buf == nil {
		s.buf = make([]byte, chunkSize)
	}
	if err := readOff(st, s.buf[:cap(s.buf)], n); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, st) // to its end
	return err
}
