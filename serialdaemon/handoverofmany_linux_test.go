package serialdaemon_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
)

// Servers that are started after the Wait has begun are handed over, and taken over, like others.
func TestHandoverOfWhatIsStartedDuringWait(t *testing.T) {
	control, rawURL := filepath.Join(t.TempDir(), "control"), "tcp://127.0.0.1:0"
	var former []net.Addr
	var ended <-chan error
	var signals chan os.Signal
	for range 3 {
		signals = make(chan os.Signal)
		told := make(chan string, 9)
		g := &serialdaemon.Group{Handover: control, Signals: signals}
		g.Tell(func(state string) error { told <- state; return nil }, 0, nil)
		next := g.CloseOnAbort(context.Background())
		signals <- syscall.SIGUSR1 // which means nothing: it waits
		addrs, _, err := g.Start(context.Background(), newServer(), endpoints(t, rawURL)...)
		require.NoError(t, err)
		require.Equal(t, ready, <-told)
		if ended != nil {
			require.Equal(t, former, addrs)
			require.NoError(t, <-ended, "the former process was told")
		}
		answers(t, addrs)
		more, _, err := g.Start(context.Background(), newServer(), endpoints(t, "tcp://127.0.0.1:0")...)
		require.NoError(t, err)
		answers(t, more)
		ended, former = next, addrs
	}
	signals <- syscall.SIGTERM
	require.NoError(t, <-ended)
	require.NoFileExists(t, control)
}

// closing is a listener that tells when it is closed.
type closing struct {
	net.Listener
	closed chan<- struct{}
}

func (l closing) Close() error {
	err := l.Listener.Close()
	l.closed <- struct{}{}
	return err
}

// What a server that drains has closed is not handed over, and keeps nothing else from it.
func TestHandoverWhileOneServerDrains(t *testing.T) {
	control, urls := filepath.Join(t.TempDir(), "control"), []string{"tcp://127.0.0.1:0"}
	first := generationOf(t, control, urls)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	closed := make(chan struct{}, 9)
	e := endpoints(t, "tcp://127.0.0.1:0")
	e[0].Wrap = func(l net.Listener) net.Listener { return closing{l, closed} }
	hangs, release := make(chan struct{}), make(chan struct{})
	addrs, errs, err := first.Start(ctx, hangingServer(hangs, release), e...)
	require.NoError(t, err)
	c := dial(t, addrs[0])
	answered := make(chan error, 1)
	go func() {
		_, err := c.Call(context.Background(), taskHang, nil)
		answered <- err
	}()
	<-hangs
	cancel()
	<-closed
	next := generationOf(t, control, urls)
	require.Equal(t, first.addrs, next.addrs)
	close(release)
	require.NoError(t, <-answered)
	require.Empty(t, all(errs))
	require.NoError(t, <-first.ended)
	next.signals <- syscall.SIGTERM
	require.NoError(t, <-next.ended)
}

// failing is a control socket that cannot accept.
type failing struct {
	net.Listener
	errs <-chan error
}

func (f failing) Accept() (net.Conn, error) {
	err, more := <-f.errs
	if !more {
		err = net.ErrClosed
	}
	return nil, err
}

// A process that has no descriptors for a while hands over later.
func TestControlSocketTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errs := make(chan error)
		done := make(chan bool)
		go func() { done <- new(serialdaemon.Group).ServeControl(context.Background(), failing{errs: errs}) }()
		begin, want := time.Now(), time.Duration(0)
		for _, ms := range []time.Duration{5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000} {
			select {
			case errs <- syscall.EMFILE:
			case <-done:
				require.FailNow(t, "it has given up")
			}
			require.Equal(t, want, time.Since(begin))
			want += ms * time.Millisecond
		}
		close(errs)
		require.False(t, <-done)
		require.Equal(t, want, time.Since(begin))
	})
	synctest.Test(t, func(t *testing.T) { // a stop does not wait for that
		ctx, cancel := context.WithCancel(context.Background())
		errs := make(chan error, 99)
		for range cap(errs) {
			errs <- syscall.EMFILE
		}
		time.AfterFunc(time.Minute, cancel)
		begin := time.Now()
		require.False(t, new(serialdaemon.Group).ServeControl(ctx, failing{errs: errs}))
		require.Equal(t, time.Minute, time.Since(begin))
	})
}

// What was not started leaves no control socket behind, and a listener of the application's is closed.
func TestNoControlSocketAfterAFailedStart(t *testing.T) {
	control := filepath.Join(t.TempDir(), "control")
	g := &serialdaemon.Group{Handover: control}
	err := g.Run(context.Background(), newServer(), endpoints(t, "unix:///no/such/place")...)
	require.ErrorIs(t, err, serialdaemon.ErrListen)
	require.NoFileExists(t, control)
	addrs, _, err := g.Start(context.Background(), newServer(), endpoints(t, "tcp://127.0.0.1:0")...)
	require.NoError(t, err)
	_, _, err = g.Start(context.Background(), newServer(), endpoints(t, "unix:///no/such/place")...)
	require.ErrorIs(t, err, serialdaemon.ErrListen)
	require.FileExists(t, control, "it is that of the server that runs")
	answers(t, addrs)
	require.Empty(t, all(g.Close()))
	require.NoFileExists(t, control)

	given := newListener()
	g = &serialdaemon.Group{Handover: "control"}
	_, _, err = g.Start(context.Background(), newServer(), given.endpoint())
	require.ErrorIs(t, err, serialdaemon.ErrUsage)
	require.True(t, given.isClosed())
}

// When everything that was started has ended the next process does not wait for this one, which has nothing for it.
func TestNoControlSocketWhenNothingIsLeft(t *testing.T) {
	control, urls := filepath.Join(t.TempDir(), "control"), []string{"tcp://127.0.0.1:0"}
	g := &serialdaemon.Group{Handover: control}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, errs, err := g.Start(ctx, newServer(), endpoints(t, urls...)...)
	require.NoError(t, err)
	next, err := net.Dial("unix", control)
	require.NoError(t, err)
	defer next.Close()
	require.NoError(t, next.SetReadDeadline(time.Now().Add(childLimit)))
	cancel()
	require.Empty(t, all(errs))
	_, err = next.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoFileExists(t, control)
}

// A listener that the application has made is not handed over.
func TestGivenListenersAreNotHandedOver(t *testing.T) {
	control := filepath.Join(t.TempDir(), "control")
	given, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	rawURL := "tcp://" + given.Addr().String()
	first := generationOf(t, control, []string{"tcp://127.0.0.1:0"})
	e := endpoints(t, rawURL)
	e[0].Listener = given
	_, _, err = first.Start(context.Background(), newServer(), e...)
	require.NoError(t, err)
	next := &serialdaemon.Group{Handover: control}
	_, _, err = next.Start(context.Background(), newServer(), endpoints(t, rawURL)...)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	first.signals <- syscall.SIGTERM
	require.NoError(t, <-first.ended)
}
