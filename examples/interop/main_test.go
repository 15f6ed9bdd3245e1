package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

func TestMain(m *testing.M) { serialtest.Main(m) }

var orders = map[string]binary.ByteOrder{"big": binary.BigEndian, "little": binary.LittleEndian}

var transports = map[string]func(*testing.T) (client, server net.Conn){
	"pipe": func(*testing.T) (client, server net.Conn) { return serialtest.Pipe() },
	"tcp":  tcpPair,
}

// eachSession runs a test with each transport and byte order.
func eachSession(t *testing.T, test func(*testing.T, *session)) {
	for transport, pair := range transports {
		for name, order := range orders {
			t.Run(transport+" "+name, func(t *testing.T) {
				client, server := pair(t)
				test(t, newSession(t, client, server, order))
			})
		}
	}
}

// session is a client that is connected to the daemon's server.
type session struct {
	*serialclient.Client
	server *serialserver.Server
}

// newSession serves the tasks on one end of a connection. It ends with t.
func newSession(t *testing.T, client, server net.Conn, order binary.ByteOrder) *session {
	d := newDaemon(config{order: order}, zap.NewNop())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = d.server.HandleConnection(context.Background(), server, order)
	}()
	s := &session{serialclient.New(client, order), d.server}
	t.Cleanup(func() {
		s.Close()
		<-ended
	})
	return s
}

// pipeSession is a session over a Pipe, big-endian.
func pipeSession(t *testing.T) *session {
	client, server := serialtest.Pipe()
	return newSession(t, client, server, binary.BigEndian)
}

// tcpPair returns both ends of a connection over loopback.
func tcpPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	client, err = net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	server, err = listener.Accept()
	require.NoError(t, err)
	return client, server
}

// message writes the numbers of a message.
type message func(w binaryutil.BinaryWriter)

// raw is the message that consists of s.
func raw(s string) message {
	return func(w binaryutil.BinaryWriter) { w.Write([]byte(s)) }
}

// encode returns the message m in a byte order.
func encode(order binary.ByteOrder, m message) []byte {
	b := binaryutil.NewBuffer(order, nil)
	m(b)
	return b.Bytes()
}

// call calls a task with the message m.
func (s *session) call(task serial.TaskCode, m message) ([]byte, error) {
	return s.Call(context.Background(), task, encode(s.ByteOrder(), m))
}

// stream starts a task with the request. It is closed with t.
func (s *session) stream(t *testing.T, task serial.TaskCode, request []byte) *serialclient.Stream {
	t.Helper()
	stream, err := s.Stream(context.Background(), task, bytes.NewReader(request))
	require.NoError(t, err)
	t.Cleanup(func() { stream.Close() })
	return stream
}

// requireCode requires that err is the answer Error with the code.
func requireCode(t *testing.T, code serial.ErrorCode, err error) {
	t.Helper()
	require.Equal(t, serialclient.Failed, serialclient.OutcomeOf(err), "%v", err)
	var coder serial.ErrorCoder
	require.ErrorAs(t, err, &coder)
	require.Equal(t, code, coder.ErrorCode())
}

// requireInStep requires that the session goes on.
func requireInStep(t *testing.T, s *session) {
	t.Helper()
	answer, err := s.call(1, raw("still here"))
	require.NoError(t, err)
	require.Equal(t, "still here", string(answer))
}

// patternOf returns n bytes as source answers them, made in another way than source does it.
func patternOf(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i % 251)
	}
	return p
}
