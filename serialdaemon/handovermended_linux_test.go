package serialdaemon_test

import (
	"context"
	"encoding/binary"
	"io"
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

// A process whose former one stops before it has sent anything starts by itself.
func TestHandoverFromAProcessThatStops(t *testing.T) {
	control := filepath.Join(t.TempDir(), "control")
	former, err := net.Listen("unix", control)
	require.NoError(t, err)
	stopped := make(chan error, 1)
	go func() {
		conn, err := former.Accept()
		if err == nil {
			former.Close() // and its file is removed
			err = conn.Close()
		}
		stopped <- err
	}()
	g := &serialdaemon.Group{Handover: control}
	addrs, _, err := g.Start(context.Background(), newServer(), endpoints(t, "tcp://127.0.0.1:0")...)
	require.NoError(t, err)
	require.NoError(t, <-stopped)
	answers(t, addrs)
	require.FileExists(t, control)
	require.Empty(t, all(g.Close()))
}

// A stop does not wait for a process that accepts at the control socket and says nothing.
func TestStopWhileTheFormerProcessIsSilent(t *testing.T) {
	control := filepath.Join(t.TempDir(), "control")
	former, err := net.Listen("unix", control)
	require.NoError(t, err)
	defer former.Close()
	g := &serialdaemon.Group{Handover: control}
	started := make(chan error, 1)
	given := newListener()
	go func() {
		_, _, err := g.Start(context.Background(), newServer(), given.endpoint())
		started <- err
	}()
	conn, err := former.Accept()
	require.NoError(t, err)
	defer conn.Close()
	require.Empty(t, all(g.Close()))
	require.ErrorIs(t, <-started, serialdaemon.ErrStopping)
	require.True(t, given.isClosed())
}

// Nor does it wait for one that has handed over, and does not answer.
func TestStopWhileTheFormerProcessDoesNotAnswer(t *testing.T) {
	dir := t.TempDir()
	control, path := filepath.Join(dir, "control"), filepath.Join(dir, "s")
	former, err := net.Listen("unix", control)
	require.NoError(t, err)
	defer former.Close()
	shared, err := net.Listen("unix", path)
	require.NoError(t, err)
	defer shared.Close()
	asked, release := make(chan struct{}), make(chan struct{})
	go serveSilently(former, shared, asked, release)
	defer close(release)
	signals := make(chan os.Signal, 1)
	g := &serialdaemon.Group{Handover: control, Signals: signals}
	g.Tell(func(state string) error {
		require.Equal(t, stopping, state)
		return nil
	}, 0, nil)
	ended := make(chan error, 1)
	go func() { ended <- g.Run(context.Background(), newServer(), endpoints(t, "unix://"+path)...) }()
	<-asked
	signals <- syscall.SIGTERM
	require.NoError(t, <-ended)
	require.FileExists(t, path, "who serves there is not known")
	require.FileExists(t, control)
}

// serveSilently hands a listener over, and does not answer.
func serveSilently(control, shared net.Listener, asked, release chan struct{}) {
	conn, err := control.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	if sendListeners(conn.(*net.UnixConn), control, shared) != nil {
		return
	}
	_, _ = conn.Read(make([]byte, 1))
	close(asked)
	<-release
}

// One that is late, when the former process stops by itself, is not told to stop: then nobody would serve.
func TestHandoverToOneThatIsLateDuringAStop(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	g := &serialdaemon.Group{}
	g.Impatient(time.Millisecond)
	g.OnStop(func(context.Context) error { close(entered); <-release; return nil })
	_, _, err := g.Start(context.Background(), newServer(), endpoints(t, "tcp://127.0.0.1:0")...)
	require.NoError(t, err)
	errs := g.Close()
	<-entered
	control, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	require.NoError(t, err)
	defer control.Close()
	next, err := net.Dial("unix", control.Addr().String())
	require.NoError(t, err)
	defer next.Close()
	conn, err := control.Accept()
	require.NoError(t, err)
	require.ErrorIs(t, g.HandOver(context.Background(), conn.(*net.UnixConn)), os.ErrDeadlineExceeded)
	require.NoError(t, conn.Close())
	said, err := io.ReadAll(next)
	require.NoError(t, err)
	require.Len(t, said, 4+int(binary.BigEndian.Uint32(said)), "the manifest alone")
	close(release)
	require.Empty(t, all(errs))
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

// The first SIGTERM to a process whose next one serves does not cut its tasks off; the second one does.
func TestSignalAfterHandover(t *testing.T) {
	for _, signals := range []int{1, 2} {
		control, urls := filepath.Join(t.TempDir(), "control"), []string{"tcp://127.0.0.1:0"}
		hangs, release := make(chan struct{}), make(chan struct{})
		minded := make(chan os.Signal)
		first := &serialdaemon.Group{Handover: control, Signals: minded, DrainTimeout: childLimit}
		told := make(chan string, 9)
		first.Tell(func(state string) error { told <- state; return nil }, 0, nil)
		addrs, _, err := first.Start(context.Background(), hangingServer(hangs, release), endpoints(t, urls...)...)
		require.NoError(t, err)
		ended := first.CloseOnAbort(context.Background())
		require.Equal(t, ready, <-told)
		c := dial(t, addrs[0])
		answered := make(chan error, 1)
		go func() {
			_, err := c.Call(context.Background(), taskHang, nil)
			answered <- err
		}()
		<-hangs
		next := generationOf(t, control, urls)
		require.Equal(t, stopping, <-told)
		for range signals {
			minded <- syscall.SIGTERM
		}
		if signals == 1 {
			minded <- syscall.SIGUSR1 // the first was minded
			close(release)
			require.NoError(t, <-answered)
			require.NoError(t, <-ended)
		} else {
			require.ErrorIs(t, <-ended, serialdaemon.ErrAborted)
			require.Error(t, <-answered)
			close(release)
		}
		next.signals <- syscall.SIGTERM
		require.NoError(t, <-next.ended)
	}
}
