package serialclient_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

func TestMain(m *testing.M) { serialtest.Main(m) }

var background = context.Background()

// peer is the server's end of a connection, which a test drives by hand. Its methods fail the test
// and end their goroutine when the client does something else.
type peer struct {
	testing.TB
	net.Conn
	in    *bufio.Reader
	ended chan struct{} // closed when the test has
	done  chan struct{} // closed when the script has ended
}

// script is what a peer does. The connection is closed behind it.
type script func(p *peer)

// start returns a Client over a Pipe whose other end follows the script.
func start(t testing.TB, f script, opts ...serialclient.Option) *serialclient.Client {
	t.Helper()
	return startOver(t, f, nil, opts...)
}

// startOver is start with options for the Pipe.
func startOver(t testing.TB, f script, pipe []serialtest.Option, opts ...serialclient.Option) *serialclient.Client {
	t.Helper()
	conn, other := serialtest.Pipe(pipe...)
	return client(t, conn, play(t, other, f), opts...)
}

// startTCP is start over a TCP connection.
func startTCP(t testing.TB, f script, opts ...serialclient.Option) *serialclient.Client {
	t.Helper()
	conn, other := tcpPair(t)
	return client(t, conn, play(t, other, f), opts...)
}

func client(t testing.TB, conn net.Conn, p *peer, opts ...serialclient.Option) *serialclient.Client {
	c := serialclient.New(conn, nil, opts...)
	t.Cleanup(func() {
		c.Close()
		close(p.ended)
		<-p.done
	})
	return c
}

// play makes conn's end follow the script.
func play(t testing.TB, conn net.Conn, f script) *peer {
	p := &peer{TB: t, Conn: conn, in: bufio.NewReaderSize(conn, 1<<16), ended: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(p.done)
		defer conn.Close()
		f(p)
	}()
	return p
}

// tcpPair returns both ends of a TCP connection.
func tcpPair(t testing.TB) (client, server *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	conn, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	other, err := ln.Accept()
	require.NoError(t, err)
	return conn.(*net.TCPConn), other.(*net.TCPConn)
}

// fail ends the script.
func (p *peer) fail(format string, args ...any) {
	p.Helper()
	p.Errorf(format, args...)
	p.Conn.Close()
	runtime.Goexit()
}

// request reads one request whole.
func (p *peer) request() (serial.TaskCode, []byte) {
	p.Helper()
	task, err := p.in.ReadByte()
	if err != nil {
		p.fail("no request: %v", err)
	}
	message, err := io.ReadAll(serial.NewReader(p.in))
	if err != nil {
		p.fail("the request of task %d: %v", task, err)
	}
	return serial.TaskCode(task), message
}

// expect reads a request and compares it.
func (p *peer) expect(task serial.TaskCode, message string) {
	p.Helper()
	if got, body := p.request(); got != task || string(body) != message {
		p.fail("the request was %d %.100q, not %d %.100q", got, body, task, message)
	}
}

// bytes reads exactly these bytes.
func (p *peer) bytes(want ...byte) {
	p.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(p.in, got); err != nil || string(got) != string(want) {
		p.fail("read % x, %v, not % x", got[:n], err, want)
	}
}

// end requires that the client closes the connection and has sent nothing more.
func (p *peer) end() {
	p.Helper()
	if rest, err := io.ReadAll(p.in); len(rest) > 0 || err != nil && !isReset(err) {
		p.fail("read % .100x, %v, not the end", rest, err)
	}
}

// nothingYet requires that the client has sent nothing more.
func (p *peer) nothingYet() {
	p.Helper()
	p.SetReadDeadline(time.Now().Add(1))
	if b, err := p.in.ReadByte(); !errors.Is(err, os.ErrDeadlineExceeded) {
		p.fail("read %02x, %v, not nothing", b, err)
	}
	p.SetReadDeadline(time.Time{})
}

// gone waits until the client closes, whatever it sends.
func (p *peer) gone() { io.Copy(io.Discard, p.in) }

// write sends what a client may not want to have any more.
func (p *peer) write(b ...byte) { p.Conn.Write(b) }

func (p *peer) ok(body string)              { p.write(okResponse(body)...) }
func (p *peer) error(code serial.ErrorCode) { p.write(errorCode, byte(code)) }
func (p *peer) goodbye()                    { p.write(goodbyeCode) }

// The response codes on the wire.
const (
	okCode      = 0
	errorCode   = 1
	goodbyeCode = 2
)

func okResponse(body string) []byte {
	return serial.AppendStream([]byte{okCode}, []byte(body))
}

// echoes answers each request with its message until the client goes.
func echoes(p *peer) {
	for {
		task, err := p.in.ReadByte()
		if err != nil {
			return
		}
		message, err := io.ReadAll(serial.NewReader(p.in))
		switch {
		case err != nil:
			return
		case serial.TaskCode(task) == serial.TaskDisconnect:
			p.goodbye()
			return
		}
		p.ok(string(message))
	}
}

// closeWrite half-closes the server's end.
func closeWrite(p *peer) {
	p.Helper()
	if err := p.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		p.fail("%v", err)
	}
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op)
}

// failure requires that err is one *Error of the task, with the outcome and the reason.
func failure(t testing.TB, err error, task serial.TaskCode, outcome serialclient.Outcome, reason error) {
	t.Helper()
	e, ok := err.(*serialclient.Error)
	require.Truef(t, ok, "%T: %v", err, err)
	require.Equal(t, task, e.Task, err)
	require.Equal(t, outcome, e.Outcome, err)
	require.ErrorIs(t, err, reason)
	require.Equal(t, outcome, serialclient.OutcomeOf(err))
	require.Equal(t, outcome == serialclient.NotRun, serialclient.SafeToRetry(err))
	inner := new(serialclient.Error)
	require.False(t, errors.As(e.Err, &inner), "an Error within an Error: %v", err)
}

// usable requires that the client makes another call.
func usable(t testing.TB, c *serialclient.Client) {
	t.Helper()
	response, err := c.Call(background, 77, []byte("still there?"))
	require.NoError(t, err)
	require.Equal(t, "still there?", string(response))
}

// broken requires that the connection was closed because of reason, and that calls say so.
func broken(t testing.TB, c *serialclient.Client, reason error) {
	t.Helper()
	require.ErrorIs(t, c.Err(), reason)
	_, err := c.Call(background, 78, nil)
	failure(t, err, 78, serialclient.NotRun, serialclient.ErrBroken)
	require.ErrorIs(t, err, reason)
}

// result is how a call ended, and when.
type result struct {
	response []byte
	err      error
	after    time.Duration
}

// calling makes a call in a goroutine.
func calling(c *serialclient.Client, ctx context.Context, task serial.TaskCode, request []byte) <-chan result {
	done := make(chan result, 1)
	begin := time.Now()
	go func() {
		response, err := c.Call(ctx, task, request)
		done <- result{response, err, time.Since(begin)}
	}()
	return done
}

// pending requires that a call has not ended.
func pending(t testing.TB, done <-chan result) {
	t.Helper()
	select {
	case r := <-done:
		require.Failf(t, "has ended", "%+v", r)
	default:
	}
}

// bytesOf returns n bytes that tell where they are.
func bytesOf(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}
