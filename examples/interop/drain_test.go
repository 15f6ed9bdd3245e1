package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

const (
	grace  = 5 * time.Second
	linger = 500 * time.Millisecond // docs/protocol.md, "Closing without loss"
)

// pipeListener accepts ends of Pipes.
type pipeListener struct {
	conns  chan net.Conn
	errs   chan error
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case err := <-l.errs:
		return nil, err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func (l *pipeListener) Addr() net.Addr { return serialtest.Addr("pipes") }

// running is a daemon that serves a pipeListener.
type running struct {
	listener *pipeListener
	signal   context.CancelFunc // as a signal does
	start    time.Time
	returned chan error // what serve returned
}

// startDaemon starts a daemon in the bubble of t.
func startDaemon(t *testing.T) *running {
	ctx, signal := context.WithCancel(context.Background())
	t.Cleanup(signal)
	r := &running{
		listener: &pipeListener{make(chan net.Conn), make(chan error), make(chan struct{})},
		signal:   signal,
		start:    time.Now(),
		returned: make(chan error, 1),
	}
	d := newDaemon(config{grace: grace}, zap.NewNop())
	go func() { r.returned <- d.serve(ctx, r.listener) }()
	return r
}

// connect returns a new client of the daemon. It is closed with t.
func (r *running) connect(t *testing.T) *session {
	client, server := serialtest.Pipe()
	r.listener.conns <- server
	s := &session{Client: serialclient.New(client, binary.BigEndian)}
	t.Cleanup(func() { s.Close() })
	return s
}

// sleeping starts a task that sleeps, and returns the error of its call.
func (r *running) sleeping(t *testing.T, d time.Duration) <-chan error {
	s := r.connect(t)
	result := make(chan error, 1)
	go func() {
		_, err := s.call(3, u32(uint32(d.Milliseconds())))
		result <- err
	}()
	synctest.Wait() // it sleeps
	return result
}

// requireReturned requires that serve returns, and when.
func (r *running) requireReturned(t *testing.T, after time.Duration) error {
	t.Helper()
	err := <-r.returned
	require.Equal(t, after, time.Since(r.start))
	return err
}

func TestIdleDaemonEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startDaemon(t)
		s := r.connect(t)
		requireInStep(t, s)
		r.signal()
		require.NoError(t, r.requireReturned(t, linger))
		_, err := s.call(1, raw("late"))
		require.ErrorIs(t, err, serialclient.ErrGoodbye)
		require.True(t, serialclient.SafeToRetry(err))
	})
}

func TestRunningTasksFinishWithinTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startDaemon(t)
		task := r.sleeping(t, grace-time.Millisecond)
		r.signal()
		require.NoError(t, <-task)
		require.Equal(t, grace-time.Millisecond, time.Since(r.start))
		require.NoError(t, r.requireReturned(t, grace-time.Millisecond+linger))
	})
}

func TestLongerTasksAreCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startDaemon(t)
		task := r.sleeping(t, grace+time.Millisecond)
		r.signal()
		requireCutOff(t, <-task)
		require.NoError(t, r.requireReturned(t, grace))
	})
}

// requireCutOff requires that err is that of a sleep that was running at the end of the grace: its
// connection is closed, and its last words do not come through.
func requireCutOff(t *testing.T, err error) {
	t.Helper()
	require.Equal(t, serialclient.Unknown, serialclient.OutcomeOf(err), "%v", err)
	require.Error(t, err)
}

func TestNothingIsAcceptedAfterASignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startDaemon(t)
		task := r.sleeping(t, time.Second)
		r.signal()
		synctest.Wait()
		_, err := r.listener.Accept()
		require.ErrorIs(t, err, net.ErrClosed)
		require.NoError(t, <-task)
		require.NoError(t, <-r.returned)
	})
}

// Without its listener a daemon is of no use, but its clients are treated as well as ever.
func TestFailedAcceptDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startDaemon(t)
		task := r.sleeping(t, time.Second)
		broken := errors.New("broken")
		r.listener.errs <- broken
		require.NoError(t, <-task)
		require.ErrorIs(t, <-r.returned, broken)
	})
}

// A connection that is accepted at the moment of the signal may not be registered when the daemon
// disconnects its clients. It is told Goodbye all the same.
func TestLateConnectionIsNotMissed(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // the new goroutine runs after the Disconnect
	synctest.Test(t, func(t *testing.T) {
		ctx, signal := context.WithCancel(context.Background())
		client, server := serialtest.Pipe()
		defer client.Close()
		listener := listenerFunc(func() (net.Conn, error) {
			if ctx.Err() != nil {
				return nil, net.ErrClosed
			}
			signal()
			return server, nil
		})
		start := time.Now()
		require.NoError(t, newDaemon(config{grace: grace}, zap.NewNop()).serve(ctx, listener))
		require.LessOrEqual(t, time.Since(start), grace+lateAfter+linger)
		said, err := io.ReadAll(client)
		require.NoError(t, err)
		require.Equal(t, []byte{byte(serial.ResponseGoodbye)}, said)
	})
}

// listenerFunc is the Accept of a listener.
type listenerFunc func() (net.Conn, error)

func (f listenerFunc) Accept() (net.Conn, error) { return f() }
func (listenerFunc) Close() error                { return nil }
func (listenerFunc) Addr() net.Addr              { return serialtest.Addr("listener") }
