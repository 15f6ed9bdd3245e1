package transport

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

func TestMain(m *testing.M) { serialtest.Main(m) }

// limit is the timeout of most tests. 1/writeSteps of it is a whole number of nanoseconds.
const limit = 1280 * time.Millisecond

// around are the moments about a limit.
var around = []time.Duration{limit - 1, limit, limit + 1}

// stepped makes a connection in memory look like a socket: writes that block are cut into steps.
type stepped struct{ net.Conn }

func (stepped) SyscallConn() (syscall.RawConn, error) { return nil, errors.ErrUnsupported }

// encrypted makes a connection in memory look like TLS: a write that timed out is not continued.
type encrypted struct{ net.Conn }

func (encrypted) ConnectionState() tls.ConnectionState { return tls.ConnectionState{} }

// layers are the kinds of connections that a Conn tells apart.
var layers = map[string]func(net.Conn) net.Conn{
	"plain":   func(c net.Conn) net.Conn { return c },
	"stepped": func(c net.Conn) net.Conn { return stepped{c} },
	"tls":     func(c net.Conn) net.Conn { return encrypted{c} },
}

// pipe returns a Conn and its peer. Both are closed with t.
func pipe(t *testing.T, layer func(net.Conn) net.Conn, opts ...serialtest.Option) (*Conn, net.Conn) {
	t.Helper()
	peer, own := serialtest.Pipe(opts...)
	t.Cleanup(func() {
		own.Close()
		peer.Close()
	})
	return NewConn(layer(own), Rate{}), peer
}

// bubble runs f in virtual time, once for each layer.
func bubble(t *testing.T, f func(t *testing.T, layer func(net.Conn) net.Conn)) {
	for name, layer := range layers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, layer) })
		})
	}
}

// result is how an operation ended, and how long after its start.
type result struct {
	n     int
	err   error
	after time.Duration
}

// run starts an operation in a goroutine.
func run(op func() (int, error)) <-chan result {
	done := make(chan result, 1)
	begin := time.Now()
	go func() {
		n, err := op()
		done <- result{n, err, time.Since(begin)}
	}()
	return done
}

// now runs an operation.
func now(op func() (int, error)) result { return <-run(op) }

// only makes an operation of one that counts nothing.
func only(op func() error) func() (int, error) {
	return func() (int, error) { return 0, op() }
}

// pending requires that an operation goes on.
func pending(t *testing.T, done <-chan result) {
	t.Helper()
	synctest.Wait()
	select {
	case r := <-done:
		require.Failf(t, "has ended", "%+v", r)
	default:
	}
}

// wait lets time pass in a bubble.
func wait(d time.Duration) { <-time.After(d) }

// settle lets time pass, and then everything happen that is due.
func settle(d time.Duration) {
	wait(d)
	synctest.Wait()
}

// later writes s to w after d.
func later(d time.Duration, w io.Writer, s string) {
	time.AfterFunc(d, func() { io.WriteString(w, s) })
}

// mustWrite writes all of s.
func mustWrite(t *testing.T, w io.Writer, s string) {
	t.Helper()
	n, err := io.WriteString(w, s)
	require.NoError(t, err)
	require.Equal(t, len(s), n)
}

// mustRead requires that the next bytes are want.
func mustRead(t *testing.T, r io.Reader, want string) {
	t.Helper()
	buf := make([]byte, len(want))
	_, err := io.ReadFull(r, buf)
	require.NoError(t, err)
	require.Equal(t, want, string(buf))
}

// pattern returns n bytes of which no two stretches are alike for long.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i ^ i>>8*31 ^ i>>16*7)
	}
	return p
}

// spy counts the deadlines that a connection is told, and keeps the latest.
type spy struct {
	net.Conn

	mu            sync.Mutex
	reads, writes []time.Time
}

func (s *spy) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads = append(s.reads, t)
	return s.Conn.SetReadDeadline(t)
}

func (s *spy) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes = append(s.writes, t)
	return s.Conn.SetWriteDeadline(t)
}

// fake is a connection whose calls the test makes up. What it leaves nil succeeds.
type fake struct {
	net.Conn
	read, write func([]byte) (int, error)
	setDeadline func(time.Time) error
	closed      int
}

func (f *fake) Read(p []byte) (int, error)  { return f.read(p) }
func (f *fake) Write(p []byte) (int, error) { return f.write(p) }
func (f *fake) Close() error                { f.closed++; return nil }

func (f *fake) SetReadDeadline(t time.Time) error {
	if f.setDeadline == nil {
		return nil
	}
	return f.setDeadline(t)
}

func (f *fake) SetWriteDeadline(t time.Time) error { return f.SetReadDeadline(t) }
