package serialdaemon_test

import (
	"context"
	"encoding/binary"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
	"github.com/serialkit/serialkit/serialserver"
)

// generation is one of several processes that hand over; here they are groups in one.
type generation struct {
	*serialdaemon.Group
	signals chan os.Signal
	ended   <-chan error
	addrs   []net.Addr
}

// generationOf starts a daemon at the endpoints, and waits until it is ready.
func generationOf(t *testing.T, control string, rawURLs []string, set ...func(*serialdaemon.Group)) *generation {
	t.Helper()
	g := &generation{signals: make(chan os.Signal, 1)}
	ready := make(chan struct{})
	isReady := sync.OnceFunc(func() { close(ready) })
	g.Group = &serialdaemon.Group{Handover: control, Signals: g.signals, DrainTimeout: childLimit}
	g.Tell(func(state string) error {
		if state == "READY=1" {
			isReady()
		}
		return nil
	}, 0, nil)
	for _, set := range set {
		set(g.Group)
	}
	var err error
	g.addrs, _, err = g.Start(context.Background(), newServer(), endpoints(t, rawURLs...)...)
	require.NoError(t, err)
	g.ended = g.CloseOnAbort(context.Background())
	select {
	case <-ready:
	case err := <-g.ended:
		require.NoError(t, err)
	}
	return g
}

// takes connects to the control socket as a next process does, and reads what it gets.
func takes(t *testing.T, control string) *net.UnixConn {
	t.Helper()
	conn, err := net.Dial("unix", control)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(childLimit)))
	readManifest(t, conn)
	return conn.(*net.UnixConn)
}

func readManifest(t *testing.T, conn net.Conn) {
	t.Helper()
	length := make([]byte, 4)
	_, err := io.ReadFull(conn, length)
	require.NoError(t, err)
	_, err = io.ReadFull(conn, make([]byte, binary.BigEndian.Uint32(length)))
	require.NoError(t, err)
}

// answers requires that everything at these addresses is served.
func answers(t *testing.T, addrs []net.Addr) {
	t.Helper()
	for _, addr := range addrs {
		c := dial(t, addr)
		echoes(t, c)
		c.Close()
	}
}

// Each generation takes the sockets over from the one before, which drains: its tasks are answered. The last
// one removes the files.
func TestHandover(t *testing.T) {
	dir := t.TempDir()
	control, path := filepath.Join(dir, "control"), filepath.Join(dir, "s")
	urls := []string{"tcp://127.0.0.1:0", "unix://" + path, "tcp://127.0.0.1:0"}
	first := generationOf(t, control, urls, func(g *serialdaemon.Group) {
		g.StopDelay = time.Hour
		g.OnStop(func(context.Context) error { return errBroken }) // the next one is registered by the same name
	})
	file, err := os.Stat(control)
	require.NoError(t, err)
	require.Equal(t, fs.ModeSocket|0o600, file.Mode())
	answers(t, first.addrs)
	old := dial(t, first.addrs[0])
	echoes(t, old)
	now := first
	for range 3 {
		next := generationOf(t, control, urls)
		require.Equal(t, first.addrs, next.addrs)
		require.NoError(t, <-now.ended)
		answers(t, first.addrs)
		now = next
	}
	now.signals <- syscall.SIGTERM
	require.NoError(t, <-now.ended)
	require.NoFileExists(t, path)
	require.NoFileExists(t, control)
}

// An endpoint that the next process does not have is closed, one that it alone has is bound.
func TestHandoverToOtherEndpoints(t *testing.T) {
	dir := t.TempDir()
	control, one, two := filepath.Join(dir, "control"), filepath.Join(dir, "one"), filepath.Join(dir, "two")
	first := generationOf(t, control, []string{"unix://" + one})
	next := generationOf(t, control, []string{"unix://" + two})
	require.NoError(t, <-first.ended)
	answers(t, next.addrs)
	require.NoFileExists(t, one)
	next.signals <- syscall.SIGTERM
	require.NoError(t, <-next.ended)
	require.NoFileExists(t, two)
}

// A next process that dies before it is ready, or says something else, changes nothing.
func TestHandoverToOneThatDies(t *testing.T) {
	dir := t.TempDir()
	control, path := filepath.Join(dir, "control"), filepath.Join(dir, "s")
	urls := []string{"tcp://127.0.0.1:0", "unix://" + path}
	first := generationOf(t, control, urls)
	require.NoError(t, takes(t, control).Close())
	confused := takes(t, control)
	_, err := confused.Write([]byte("x"))
	require.NoError(t, err)
	_, err = confused.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)

	dying := &serialdaemon.Group{Handover: control}
	_, _, err = dying.Start(context.Background(), newServer(),
		endpoints(t, append([]string{"unix:///no/such/place"}, urls...)...)...)
	require.ErrorIs(t, err, serialdaemon.ErrListen)
	require.Empty(t, all(dying.Close()))
	answers(t, first.addrs)
	dying = &serialdaemon.Group{Handover: control}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, errs, err := dying.Start(ctx, serialserver.New(nil), endpoints(t, "tcp://127.0.0.1:0")...)
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, errs)
	ctx, cancel = context.WithCancel(context.Background())
	_, errs, err = dying.Start(ctx, serialserver.New(nil), endpoints(t, urls...)...)
	require.NoError(t, err)
	cancel()
	require.Empty(t, all(errs), "it ends although it may not accept yet")
	require.Empty(t, all(dying.Close()))
	_, _, err = dying.Start(context.Background(), serialserver.New(nil), endpoints(t, urls...)...)
	require.NoError(t, err)
	require.False(t, dying.Ready())
	for range 50 { // which a server without tasks would not answer
		answers(t, first.addrs)
	}
	require.Empty(t, all(dying.Close()), "it was never waited for, so it was never ready")
	answers(t, first.addrs)
	require.True(t, first.Ready())

	next := generationOf(t, control, urls)
	require.NoError(t, <-first.ended)
	answers(t, first.addrs)
	next.signals <- syscall.SIGTERM
	require.NoError(t, <-next.ended)
	require.NoFileExists(t, path)
}

// One that is ready too late has to stop.
func TestHandoverToOneThatIsLate(t *testing.T) {
	dir := t.TempDir()
	control, path := filepath.Join(dir, "control"), filepath.Join(dir, "s")
	urls := []string{"unix://" + path}
	first := generationOf(t, control, urls, func(g *serialdaemon.Group) { g.Impatient(time.Millisecond) })
	late := takes(t, control)
	said := make([]byte, 2)
	n, err := io.ReadFull(late, said)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, "N", string(said[:n]))
	answers(t, first.addrs)
	first.signals <- syscall.SIGTERM
	require.NoError(t, <-first.ended)

	former, err := net.Listen("unix", control) // a former process that says so to a real next one
	require.NoError(t, err)
	defer former.Close()
	shared, err := net.Listen("unix", path)
	require.NoError(t, err)
	defer shared.Close()
	go serveLate(former, shared)
	next := &serialdaemon.Group{Handover: control, Signals: make(chan os.Signal)}
	err = next.Run(context.Background(), newServer(), endpoints(t, urls...)...)
	require.ErrorIs(t, err, serialdaemon.ErrHandover)
	require.FileExists(t, path, "which is the former one's")
	require.FileExists(t, control)
}

// serveLate hands a listener over, and says that it is too late.
func serveLate(control, shared net.Listener) {
	conn, err := control.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	if sendListeners(conn.(*net.UnixConn), control, shared) != nil {
		return
	}
	_, _ = conn.Read(make([]byte, 1))
	_, _ = conn.Write([]byte("N"))
}

// sendListeners hands a listener and the control socket over.
func sendListeners(conn *net.UnixConn, control, shared net.Listener) error {
	var files []int
	for _, l := range []net.Listener{shared, control} {
		f, err := l.(*net.UnixListener).File()
		if err != nil {
			return err
		}
		defer f.Close()
		files = append(files, int(f.Fd()))
	}
	manifest := `[{"key":"unix:` + shared.Addr().String() + `","own":true},{"key":"control","own":true}]`
	message := append(binary.BigEndian.AppendUint32(nil, uint32(len(manifest))), manifest...)
	_, _, err := conn.WriteMsgUnix(message, syscall.UnixRights(files...), nil)
	return err
}

// Nothing is handed to another user's process, and nothing is taken from one.
func TestHandoverAmongUsers(t *testing.T) {
	control := filepath.Join(t.TempDir(), "control")
	urls := []string{"tcp://127.0.0.1:0"}
	first := generationOf(t, control, urls, (*serialdaemon.Group).Stranger)
	conn, err := net.Dial("unix", control)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(childLimit)))
	n, err := conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.Zero(t, n)
	answers(t, first.addrs)
	first.signals <- syscall.SIGTERM
	require.NoError(t, <-first.ended)

	first = generationOf(t, control, urls)
	stranger := &serialdaemon.Group{Handover: control}
	stranger.Stranger()
	_, _, err = stranger.Start(context.Background(), newServer(), endpoints(t, urls...)...)
	require.ErrorContains(t, err, "another user's")
	require.ErrorIs(t, err, serialdaemon.ErrListen)
	answers(t, first.addrs)
	first.signals <- syscall.SIGTERM
	require.NoError(t, <-first.ended)
}

// A former process that dies before it answers leaves the service to the next one; one that sends nonsense
// does not.
func TestHandoverFromABrokenProcess(t *testing.T) {
	for says, sent := range map[string]string{
		"EOF":                         "",
		"a manifest of 65537 bytes":   "\x00\x01\x00\x01",
		"invalid character":           "\x00\x00\x00\x01x",
		"1 listeners in the manifest": "\x00\x00\x00\x0f" + `[{"key":"tcp"}]`,
		"no control socket":           "\x00\x00\x00\x02[]",
	} {
		control := filepath.Join(t.TempDir(), "control")
		former, err := net.Listen("unix", control)
		require.NoError(t, err)
		served := make(chan struct{})
		go func() {
			defer close(served)
			for { // one that has sent nothing is asked again
				conn, err := former.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(conn, sent)
				conn.Close()
			}
		}()
		g := &serialdaemon.Group{Handover: control}
		_, _, err = g.Start(context.Background(), newServer(), endpoints(t, "tcp://127.0.0.1:0")...)
		require.ErrorContains(t, err, says)
		require.ErrorIs(t, err, serialdaemon.ErrListen)
		require.NoError(t, former.Close())
		<-served
	}
	g := &serialdaemon.Group{Handover: "control"}
	_, _, err := g.Start(context.Background(), newServer(), endpoints(t, "tcp://127.0.0.1:0")...)
	require.ErrorContains(t, err, "not absolute")
	require.Equal(t, serialdaemon.ExitUsage, serialdaemon.ExitCode(err))
	require.NotErrorIs(t, err, serialdaemon.ErrListen)
}

// A group does not take over from itself when it starts its second server.
func TestHandoverOfTwoServers(t *testing.T) {
	g := &serialdaemon.Group{Handover: filepath.Join(t.TempDir(), "control")}
	for range 2 {
		addrs, _, err := g.Start(context.Background(), newServer(), endpoints(t, "tcp://127.0.0.1:0")...)
		require.NoError(t, err)
		answers(t, addrs)
	}
	require.Empty(t, all(g.Close()))
}
