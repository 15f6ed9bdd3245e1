package serialserver_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

func TestMain(m *testing.M) { serialtest.Main(m) }

// The parameters and the result of a task.
type (
	ctx     = context.Context
	client  = *serialserver.Client
	reader  = binaryutil.BinaryReader
	logger  = *zap.Logger
	reading = io.Reader
	addr    = net.Addr
)

// task is a TaskFunc without what most tests do not need.
type task func(ctx, client, reader) (io.Reader, error)

func (f task) run(ctx ctx, c client, in reader, _ *zap.Logger, _ ...interface{}) (io.Reader, error) {
	return f(ctx, c, in)
}

func echo(_ ctx, _ client, in reader) (io.Reader, error) { return in, nil }
func empty(ctx, client, reader) (io.Reader, error)       { return nil, nil }

// sleeper returns a task that answers nothing after d.
func sleeper(d time.Duration) task {
	return func(ctx, client, reader) (io.Reader, error) {
		sleep(d)
		return nil, nil
	}
}

// The tasks that every server of newServer has.
const (
	echoTask  = 1 // returns in
	emptyTask = 2 // reads nothing, answers nothing
	testTask  = 3 // the test's own
)

// newServer returns a server with f, which may be nil, as testTask.
func newServer(timeout *serialserver.Timeout, f task, opts ...serialserver.Option) *serialserver.Server {
	srv := serialserver.New(timeout, opts...)
	srv.Register(echoTask, task(echo).run, "echo")
	srv.Register(emptyTask, task(empty).run, "empty")
	if f != nil {
		srv.Register(testTask, f.run, "test")
	}
	return srv
}

// session is one connection to a server, seen by its client.
type session struct {
	*testing.T
	net.Conn // the client's end

	start    time.Time
	in       *bufio.Reader
	returned chan struct{}
	err      error         // of HandleConnection; valid once returned is closed, as is
	lasted   time.Duration // how long that took
}

// connect connects to srv through a Pipe.
func connect(t *testing.T, srv *serialserver.Server, opts ...serialtest.Option) *session {
	t.Helper()
	client, server := serialtest.Pipe(opts...)
	return serve(t, context.Background(), srv, client, server)
}

// serve has srv serve the server's end of a connection. Both have ended when the test has.
func serve(t *testing.T, ctx ctx, srv *serialserver.Server, client, server net.Conn) *session {
	s := newSession(t, client)
	go s.handle(ctx, srv, server)
	return s
}

// newSession is a session whose server's end is not served yet.
func newSession(t *testing.T, client net.Conn) *session {
	s := &session{T: t, Conn: client, start: time.Now(), in: bufio.NewReader(client), returned: make(chan struct{})}
	t.Cleanup(s.stop)
	return s
}

func (s *session) handle(ctx ctx, srv *serialserver.Server, server net.Conn) {
	defer close(s.returned) // also where a task ends this goroutine
	s.err = srv.HandleConnection(ctx, server, binary.BigEndian)
	s.lasted = time.Since(s.start)
}

func (s *session) stop() {
	s.Close()
	<-s.returned
}

// result waits for HandleConnection and returns what it did.
func (s *session) result() error {
	<-s.returned
	return s.err
}

// send writes all of b.
func (s *session) send(b ...[]byte) {
	s.Helper()
	for _, b := range b {
		_, err := s.Write(b)
		require.NoError(s, err)
	}
}

// sendAside writes all of b from a goroutine, for what the server may not want to read. The channel
// is closed when it has ended.
func (s *session) sendAside(b ...[]byte) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, b := range b {
			s.Write(b)
		}
	}()
	return done
}

// closeWrite ends what the client sends.
func (s *session) closeWrite() {
	s.Helper()
	require.NoError(s, s.Conn.(interface{ CloseWrite() error }).CloseWrite())
}

// reset closes the client's end with a reset.
func (s *session) reset() {
	s.Helper()
	require.NoError(s, s.Conn.(interface{ SetLinger(int) error }).SetLinger(0))
	require.NoError(s, s.Close())
}

// answer reads the next response.
func (s *session) answer() serialtest.Message {
	s.Helper()
	m, err := serialtest.ReadMessage(s.in)
	require.NoError(s, err)
	return m
}

func ok(answer string) serialtest.Message {
	h := serialtest.Hex(answer)
	return serialtest.Message{OK: &h}
}

func failed(code serial.ErrorCode) serialtest.Message { return serialtest.Message{Error: &code} }

func cut(answer string) serialtest.Message {
	h := serialtest.Hex(answer)
	return serialtest.Message{Cut: &h}
}

var goodbye = serialtest.Message{Goodbye: true}

// wants reads responses and compares them.
func (s *session) wants(want ...serialtest.Message) {
	s.Helper()
	for _, want := range want {
		got := s.answer().String()
		if want := want.String(); got != want {
			require.Equal(s, want[:min(len(want), 200)], got[:min(len(got), 200)], "%d and %d bytes", len(want), len(got))
		}
	}
}

// wantsEnd requires that the server sends nothing more and ends the connection.
func (s *session) wantsEnd() {
	s.Helper()
	rest, err := io.ReadAll(s.in)
	require.NoError(s, err)
	require.Empty(s, rest[:min(len(rest), 20)])
}

// wantsSilence requires that the server has sent nothing more by now.
func (s *session) wantsSilence() {
	s.Helper()
	synctest.Wait()
	require.NoError(s, s.SetReadDeadline(time.Now().Add(1)))
	b, err := s.in.Peek(1)
	require.Error(s, err, "got %x", b)
	require.ErrorContains(s, err, "timeout")
	require.NoError(s, s.SetReadDeadline(time.Time{}))
}

// request is one whole request.
func request(code serial.TaskCode, message string) []byte {
	return serial.AppendStream([]byte{byte(code)}, []byte(message))
}

// beginning is a request whose end is missing.
func beginning(code serial.TaskCode, message string) []byte {
	return serial.AppendBlocks([]byte{byte(code)}, []byte(message))
}

var disconnect = []byte{byte(serial.TaskDisconnect), 0}

// around runs a test at one nanosecond before a limit, at it and one after.
func around(t *testing.T, limit time.Duration, test func(t *testing.T, at time.Duration, late bool)) {
	for _, off := range []time.Duration{-1, 0, 1} {
		t.Run([]string{"1 ns before", "at the limit", "1 ns after"}[off+1], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, limit+off, off >= 0) })
		})
	}
}

// sleep waits for d of the bubble's time.
func sleep(d time.Duration) { <-time.After(d) }

// settle waits until all others are blocked. Unlike synctest.Wait, which is for the test's own
// goroutine, several goroutines may call it at a time.
func settle() { sleep(1) }
