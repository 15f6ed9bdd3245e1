package serialdaemon_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialdaemon"
	"github.com/serialkit/serialkit/serialserver"
)

// childEnv has the URLs of the daemon that a test's child process runs.
const childEnv = "SERIALDAEMON_TEST_CHILD"

// taskHang is the child's: it says so, and lasts until it is cancelled.
const taskHang = 4

// childLimit is how long a child lives at most, should the test forget it.
const childLimit = time.Minute

// child runs a daemon, as a program does, and returns its exit code.
func child(rawURLs string) int {
	ctx, cancel := context.WithTimeout(context.Background(), childLimit)
	defer cancel()
	serialdaemon.Default.DrainTimeout = -1
	serialdaemon.Default.Reload = func(context.Context) error {
		fmt.Println("reloaded")
		return nil
	}
	serialdaemon.Default.OnReady = func(addrs []net.Addr) {
		fmt.Println("ready", addrs[0].Network(), addrs[0])
	}
	all, err := serialdaemon.ParseEndpoints(strings.Fields(rawURLs)...)
	if err != nil {
		return serialdaemon.ExitCode(err)
	}
	srv := newServer()
	srv.Register(taskHang, func(ctx context.Context, _ *serialserver.Client, _ binaryutil.BinaryReader, _ *zap.Logger, _ ...any) (io.Reader, error) {
		fmt.Println("hangs")
		<-ctx.Done()
		return nil, ctx.Err()
	}, "hang")
	return serialdaemon.ExitCode(serialdaemon.Run(ctx, srv, all...))
}

// hangingServer returns a server whose task tells hangs that it runs, and ends with release.
func hangingServer(hangs chan<- struct{}, release <-chan struct{}) *serialserver.Server {
	srv := serialserver.New(nil)
	srv.Register(taskHang, func(context.Context, *serialserver.Client, binaryutil.BinaryReader, *zap.Logger, ...any) (io.Reader, error) {
		hangs <- struct{}{}
		<-release
		return nil, nil
	}, "hang")
	return srv
}

// process is a child process.
type process struct {
	*exec.Cmd
	lines  *bufio.Scanner
	stderr bytes.Buffer // after the end
}

// spawn starts a child with a daemon. files are the sockets that systemd passes it, with their names.
func spawn(t *testing.T, rawURLs string, names []string, files []*os.File, env ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), childLimit)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "sh", "-c", `LISTEN_PID=$$ exec "$0"`, os.Args[0])
	cmd.Env = append(os.Environ(), append(env, childEnv+"="+rawURLs,
		fmt.Sprintf("LISTEN_FDS=%d", len(files)), "LISTEN_FDNAMES="+strings.Join(names, ":"))...)
	p := &process{Cmd: cmd}
	cmd.ExtraFiles, cmd.Stderr = files, &p.stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p.lines = bufio.NewScanner(out)
	t.Cleanup(func() {
		if p.ProcessState == nil {
			p.Process.Kill()
			p.Wait()
		}
	})
	return p
}

// says returns what the child says next.
func (p *process) says(t *testing.T) []string {
	t.Helper()
	if !p.lines.Scan() {
		p.Wait()
		require.FailNow(t, "the child has ended", "%v\n%s", p.lines.Err(), &p.stderr)
	}
	return strings.Fields(p.lines.Text())
}

// dial waits until the child is ready, and connects to it.
func (p *process) dial(t *testing.T) *serialclient.Client {
	t.Helper()
	said := p.says(t)
	require.Equal(t, "ready", said[0])
	c, err := serialclient.Dial(context.Background(), said[1], said[2], nil)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// code waits for the child's end and returns its exit code.
func (p *process) code(t *testing.T) int {
	t.Helper()
	var failed *exec.ExitError
	if err := p.Wait(); err != nil {
		require.True(t, errors.As(err, &failed), err)
	}
	return p.ProcessState.ExitCode()
}

// A real process, real signals: HUP reloads, TERM drains, and its answer is the exit code.
func TestProcess(t *testing.T) {
	p := spawn(t, "tcp://127.0.0.1:0", nil, nil)
	c := p.dial(t)
	echoes(t, c)
	require.NoError(t, p.Process.Signal(syscall.SIGHUP))
	require.Equal(t, []string{"reloaded"}, p.says(t))
	echoes(t, c)
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.Equal(t, serialdaemon.ExitOK, p.code(t))
}

// The second signal does not wait for the task that the first one waits for.
func TestProcessThatIsAborted(t *testing.T) {
	p := spawn(t, "tcp://127.0.0.1:0", nil, nil)
	c := p.dial(t)
	failed := make(chan error, 1)
	go func() {
		_, err := c.Call(context.Background(), taskHang, nil)
		failed <- err
	}()
	require.Equal(t, []string{"hangs"}, p.says(t))
	require.NoError(t, p.Process.Signal(syscall.SIGINT))
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.Equal(t, serialdaemon.ExitAborted, p.code(t))
	require.Equal(t, serialclient.Unknown, serialclient.OutcomeOf(<-failed))
}

// QUIT is the runtime's.
func TestProcessThatQuits(t *testing.T) {
	p := spawn(t, "tcp://127.0.0.1:0", nil, nil)
	p.dial(t)
	require.NoError(t, p.Process.Signal(syscall.SIGQUIT))
	require.Equal(t, 2, p.code(t), "the runtime's code for it, and none of ours")
	for _, says := range []string{"SIGQUIT: quit", "serialdaemon.(*Group).Run"} {
		require.True(t, strings.Contains(p.stderr.String(), says), says)
	}
}

func TestProcessThatCannotStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	require.Equal(t, serialdaemon.ExitListen, spawn(t, "tcp://"+taken.Addr().String(), nil, nil).code(t))
	require.Equal(t, serialdaemon.ExitUsage, spawn(t, "tpc://:0", nil, nil).code(t))
}

// systemd passes a socket by its name, and is told that the daemon is ready, reloads and stops.
func TestProcessUnderSystemd(t *testing.T) {
	one, _ := passed(t, "one")
	two, addr := passed(t, "two")
	defer one.Close()
	defer two.Close()
	path := filepath.Join(t.TempDir(), "notify")
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	defer notify.Close()
	require.NoError(t, notify.SetReadDeadline(time.Now().Add(childLimit)))
	told := func() string {
		buf := make([]byte, 4096)
		n, err := notify.Read(buf)
		require.NoError(t, err)
		return string(buf[:n])
	}
	p := spawn(t, "systemd:two", []string{"one", "two"}, []*os.File{one, two}, "NOTIFY_SOCKET="+path)
	require.Equal(t, "READY=1", told())
	c := p.dial(t)
	require.Equal(t, addr.String(), c.RemoteAddr().String())
	echoes(t, c)
	require.NoError(t, p.Process.Signal(syscall.SIGHUP))
	require.Regexp(t, `^RELOADING=1\nMONOTONIC_USEC=\d+\n$`, told())
	require.Equal(t, "READY=1", told())
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.Equal(t, "STOPPING=1", told())
	require.Equal(t, serialdaemon.ExitOK, p.code(t))
}
