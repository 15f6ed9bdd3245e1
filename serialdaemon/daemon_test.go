package serialdaemon_test

import (
	"context"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialdaemon"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// listener is a net.Listener in memory.
type listener struct {
	conns  chan net.Conn
	broken chan error
	closed chan struct{}
	close  func()
}

func newListener() *listener {
	l := &listener{conns: make(chan net.Conn), broken: make(chan error), closed: make(chan struct{})}
	l.close = sync.OnceFunc(func() { close(l.closed) })
	return l
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case err := <-l.broken:
		return nil, err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error   { l.close(); return nil }
func (l *listener) Addr() net.Addr { return serialtest.Addr("memory") }

// endpoint is one at which l listens.
func (l *listener) endpoint() *serialdaemon.Endpoint {
	return &serialdaemon.Endpoint{Network: "tcp", Address: "memory:0", Listener: l}
}

// isClosed reports whether nobody accepts any more.
func (l *listener) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// dial connects. The client is closed at the end of the test.
func (l *listener) dial(t *testing.T) *serialclient.Client {
	t.Helper()
	client, server := serialtest.Pipe()
	l.conns <- server
	c := serialclient.New(client, nil)
	t.Cleanup(func() { c.Close() })
	return c
}

// The tasks of a test's server.
const (
	taskEcho  = 1 // answers what it is asked
	taskSleep = 2 // takes that long, unless it is cancelled
	taskDeaf  = 3 // takes that long in any case
)

// newServer returns a server with the tasks above.
func newServer() *serialserver.Server {
	srv := serialserver.New(nil)
	srv.Register(taskEcho, func(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...any) (io.Reader, error) {
		message, err := io.ReadAll(in)
		return strings.NewReader(string(message)), err
	}, "echo")
	sleep := func(deaf bool) serialserver.TaskFunc {
		return func(ctx context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...any) (io.Reader, error) {
			message, err := io.ReadAll(in)
			if err != nil {
				return nil, err
			}
			d, err := time.ParseDuration(string(message))
			if deaf {
				ctx = context.Background()
			}
			timer := time.NewTimer(d)
			defer timer.Stop()
			select {
			case <-timer.C:
				return nil, err
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
	}
	srv.Register(taskSleep, sleep(false), "sleep")
	srv.Register(taskDeaf, sleep(true), "deaf")
	return srv
}

// call calls a task in the background, and closes the connection when that has ended.
func call(c *serialclient.Client, task byte, message string) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := c.Call(context.Background(), serial.TaskCode(task), []byte(message))
		c.Close()
		done <- err
	}()
	synctest.Wait()
	return done
}

// echoes requires that a client is served.
func echoes(t *testing.T, c *serialclient.Client) {
	t.Helper()
	answer, err := c.Call(context.Background(), taskEcho, []byte("x"))
	require.NoError(t, err)
	require.Equal(t, "x", string(answer))
}

// ending is what a Wait returned, and after which time.
type ending struct {
	err   error
	after time.Duration
}

// daemon is a group that is waited for.
type daemon struct {
	*serialdaemon.Group
	l       *listener
	server  *serialserver.Server
	signals chan os.Signal
	end     chan ending
	start   time.Time

	mu     sync.Mutex // guards what follows
	states []string   // that systemd was told
}

// newDaemon returns one that set may set up.
func newDaemon(set ...func(*daemon)) *daemon {
	d := &daemon{Group: &serialdaemon.Group{}, l: newListener(), server: newServer(),
		signals: make(chan os.Signal, 9), end: make(chan ending, 1), start: time.Now()}
	d.Group.Signals = d.signals
	d.Tell(d.tell, 0, nil)
	for _, set := range set {
		set(d)
	}
	return d
}

// run runs a server, of a group that set may set up, until a signal.
func run(t *testing.T, ctx context.Context, set ...func(*daemon)) *daemon {
	t.Helper()
	d := newDaemon(set...)
	go func() {
		err := d.Run(ctx, d.server, d.l.endpoint())
		d.end <- ending{err, time.Since(d.start)}
	}()
	synctest.Wait()
	return d
}

func (d *daemon) tell(state string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	first, _, _ := strings.Cut(state, "\n")
	d.states = append(d.states, first)
	return nil
}

// told returns what systemd was told since the last time.
func (d *daemon) told() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	states := d.states
	d.states = nil
	return states
}

// signal sends signals and lets them have their effect.
func (d *daemon) signal(signals ...syscall.Signal) {
	for _, s := range signals {
		d.signals <- s
		synctest.Wait()
	}
}

// goesOn requires that Wait has not returned.
func (d *daemon) goesOn(t *testing.T) {
	t.Helper()
	synctest.Wait()
	require.Empty(t, d.end)
}

// all reads a channel of errors to its end.
func all(errs <-chan error) []error {
	var read []error
	for err := range errs {
		read = append(read, err)
	}
	return read
}

// pass lets time pass, and what happens then happen.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
