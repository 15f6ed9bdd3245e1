package serialserver_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
)

const (
	leavers    = 1000     // clients in all
	perBatch   = 250      // of them at a time
	lastAnswer = 24 << 10 // bytes: more than the client's side of the kernel takes unread, less than the server's
	unreadPart = 96 << 10 // bytes of the message that nobody reads: more than any buffer of the server
)

// The test that a closing server loses nothing, and that this is the work of the lingering close:
// 1000 clients are disconnected in the middle of what they send, with their last answer not yet
// out of the server's kernel. Each reads its answer whole, Goodbye and the end. Closed plainly, the
// same clients lose answers.
func TestGoodbyeAndTheLastAnswerArrive(t *testing.T) {
	require.Zero(t, leave(t), "clients that lost something")
}

func TestWithoutLingeringAnswersAreLost(t *testing.T) {
	defer serialserver.SetLinger(false)()
	lost := leave(t)
	require.NotZero(t, lost, "clients that lost something")
	t.Logf("%d of %d lost something", lost, leavers)
}

// leave has all clients leave, batch by batch, and returns how many did not get everything.
func leave(t *testing.T) (lost int) {
	listener := listenSmall(t)
	defer listener.Close()
	for range leavers / perBatch {
		lost += newBatch(t, listener).leave()
	}
	return lost
}

// batch is some clients of one server that leave together.
type batch struct {
	*testing.T
	srv     *serialserver.Server
	began   sync.WaitGroup // their tasks
	finish  chan struct{}  // closed when their tasks may answer
	left    sync.WaitGroup // the server's side, which has written all it has to say
	clients []net.Conn
	senders sync.WaitGroup
}

func newBatch(t *testing.T, listener net.Listener) *batch {
	b := &batch{T: t, finish: make(chan struct{})}
	b.srv = newServer(nil, func(ctx, client, reader) (io.Reader, error) {
		b.began.Done()
		<-b.finish
		return bytes.NewReader(make([]byte, lastAnswer)), nil
	})
	b.began.Add(perBatch)
	b.left.Add(perBatch)
	for range perBatch {
		client := dialSmall(t, listener.Addr().String())
		server, err := listener.Accept()
		require.NoError(t, err)
		require.NoError(t, server.(*net.TCPConn).SetWriteBuffer(2*lastAnswer))
		leaving := &leaver{TCPConn: server.(*net.TCPConn), left: sync.OnceFunc(b.left.Done)}
		go b.srv.HandleConnection(context.Background(), leaving, nil)
		b.clients = append(b.clients, client)
		b.senders.Go(func() { client.Write(beginning(testTask, string(make([]byte, unreadPart)))) })
	}
	return b
}

// leaver is a connection that tells when it is closed, or half-closed.
type leaver struct {
	*net.TCPConn
	left func()
}

func (l *leaver) CloseWrite() error {
	defer l.left()
	return l.TCPConn.CloseWrite()
}

func (l *leaver) Close() error {
	defer l.left()
	return l.TCPConn.Close()
}

// leave returns how many clients did not get everything.
func (b *batch) leave() (lost int) {
	b.began.Wait()
	b.srv.Disconnect(time.Minute)
	close(b.finish)
	b.left.Wait() // nobody has read anything yet
	var readers sync.WaitGroup
	var mu sync.Mutex
	for _, client := range b.clients {
		readers.Go(func() {
			complete := readsAll(client)
			client.Close()
			mu.Lock()
			defer mu.Unlock()
			if !complete {
				lost++
			}
		})
	}
	readers.Wait()
	b.senders.Wait()
	b.srv.Wait()
	return lost
}

// readsAll reports whether the answer, Goodbye and the end can be read.
func readsAll(client net.Conn) bool {
	got, err := io.ReadAll(client)
	want := serial.AppendStream([]byte{byte(serial.ResponseOK)}, make([]byte, lastAnswer))
	want = append(want, byte(serial.ResponseGoodbye))
	return err == nil && bytes.Equal(want, got)
}

// setSocket sets a socket's option before it is connected, which is when its window is chosen.
func setSocket(option, bytes int) func(string, string, syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) (err error) {
		cerr := raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, option, bytes) })
		if cerr != nil {
			return cerr
		}
		return err
	}
}

// listenSmall returns a listener whose connections receive little at a time.
func listenSmall(t *testing.T) net.Listener {
	t.Helper()
	config := net.ListenConfig{Control: setSocket(syscall.SO_RCVBUF, 32<<10)}
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return listener
}

// dialSmall returns a connection that receives next to nothing unless it is read.
func dialSmall(t *testing.T, address string) net.Conn {
	t.Helper()
	dialer := net.Dialer{Control: setSocket(syscall.SO_RCVBUF, 8<<10)}
	client, err := dialer.Dial("tcp", address)
	require.NoError(t, err)
	return client
}
