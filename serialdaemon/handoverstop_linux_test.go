package serialdaemon_test

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
)

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
	dir := t.TempDir()
	g := &serialdaemon.Group{Handover: filepath.Join(dir, "control")}
	g.OnStop(func(context.Context) error { close(entered); <-release; return nil })
	_, _, err := g.Start(context.Background(), newServer(), endpoints(t, "tcp://127.0.0.1:0")...)
	require.NoError(t, err)
	former, next := connected(t, filepath.Join(dir, "s"))
	handed := make(chan error, 1)
	go func() { handed <- g.HandOver(context.Background(), former) }()
	readManifest(t, next)
	errs := g.Close()
	<-entered
	require.NoError(t, former.SetDeadline(time.Unix(1, 0))) // it is late
	require.ErrorIs(t, <-handed, os.ErrDeadlineExceeded)
	require.NoError(t, former.Close())
	said, err := io.ReadAll(next)
	require.NoError(t, err)
	require.Empty(t, said)
	close(release)
	require.Empty(t, all(errs))
}

// A process that has closed its control socket sends nothing, so that the next one starts by itself.
func TestNoHandoverWithoutTheControlSocket(t *testing.T) {
	g := &serialdaemon.Group{}
	g.Impatient(time.Millisecond)
	_, _, err := g.Start(context.Background(), newServer(), endpoints(t, "tcp://127.0.0.1:0")...)
	require.NoError(t, err)
	former, next := connected(t, filepath.Join(t.TempDir(), "s"))
	require.ErrorContains(t, g.HandOver(context.Background(), former), "this process stops")
	require.NoError(t, former.Close())
	said, err := io.ReadAll(next)
	require.NoError(t, err)
	require.Empty(t, said)
	require.Empty(t, all(g.Close()))
}

// connected returns both ends of a connection over a unix socket at path.
func connected(t *testing.T, path string) (accepted, dialed *net.UnixConn) {
	t.Helper()
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	defer l.Close()
	two, err := net.Dial("unix", path)
	require.NoError(t, err)
	t.Cleanup(func() { two.Close() })
	one, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { one.Close() })
	return one.(*net.UnixConn), two.(*net.UnixConn)
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
