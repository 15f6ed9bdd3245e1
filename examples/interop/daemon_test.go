package main

import (
	"bufio"
	"context"
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

	"github.com/serialkit/serialkit/serialclient"
)

// child is the daemon as a process of its own.
type child struct {
	cmd    *exec.Cmd
	addr   string
	stdout *bufio.Reader
	stderr *bufio.Reader
}

// buildDaemon builds the daemon and returns its path.
func buildDaemon(t *testing.T) string {
	t.Helper()
	_, err := os.Stat("main.go") // go test remembers that: a cached result depends on main.go
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "interop.exe")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

// startChild starts the daemon and waits until it is ready. It is killed with t.
func startChild(t *testing.T, path string, args ...string) *child {
	t.Helper()
	cmd := exec.Command(path, args...)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	c := &child{cmd: cmd, stdout: bufio.NewReader(stdout), stderr: bufio.NewReader(stderr)}
	line, err := c.stdout.ReadString('\n')
	require.NoError(t, err)
	addr, ok := strings.CutPrefix(line, "ready ")
	require.True(t, ok, line)
	c.addr = strings.TrimSpace(addr)
	return c
}

// dial connects to the daemon. The client is closed with t.
func (c *child) dial(t *testing.T, order string) *session {
	t.Helper()
	client, err := serialclient.Dial(context.Background(), "tcp", c.addr, orders[order])
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	return &session{Client: client}
}

// sleeping starts a task that sleeps, and returns the error of its call. The daemon runs with -v.
func (c *child) sleeping(t *testing.T, d time.Duration) <-chan error {
	t.Helper()
	s := c.dial(t, "big")
	result := make(chan error, 1)
	go func() {
		_, err := s.call(3, u32(uint32(d.Milliseconds())))
		result <- err
	}()
	for line := ""; !strings.Contains(line, `"sleep"`); {
		var err error
		line, err = c.stderr.ReadString('\n')
		require.NoError(t, err)
	}
	return result
}

// requireExit requires that the process ends with the code and without another line of output.
func (c *child) requireExit(t *testing.T, code int) {
	t.Helper()
	rest, err := io.ReadAll(c.stdout)
	require.NoError(t, err)
	require.Empty(t, string(rest))
	log, err := io.ReadAll(c.stderr)
	require.NoError(t, err)
	_ = c.cmd.Wait()
	require.Equal(t, code, c.cmd.ProcessState.ExitCode(), string(log))
}

var signals = map[string]os.Signal{"SIGINT": syscall.SIGINT, "SIGTERM": syscall.SIGTERM}

func TestProcess(t *testing.T) {
	path := buildDaemon(t)
	for order := range orders {
		t.Run(order, func(t *testing.T) {
			c := startChild(t, path, "-order", order)
			s := c.dial(t, order)
			answer, err := s.call(2, numbers(2, 40, 2))
			require.NoError(t, err)
			require.Equal(t, encode(orders[order], i64(42)), answer)
		})
	}
	for name, signal := range signals {
		t.Run(name+" drains", func(t *testing.T) { testDrain(t, path, signal) })
		t.Run(name+" cuts off", func(t *testing.T) { testCutOff(t, path, signal) })
		t.Run(name+" twice ends at once", func(t *testing.T) { testTwice(t, path, signal) })
	}
	t.Run("wait", func(t *testing.T) { testWait(t, path) })
	t.Run("address in use", func(t *testing.T) { testAddressInUse(t, path) })
	t.Run("cannot accept", func(t *testing.T) { testCannotAccept(t, path) })
}

// testDrain sends a signal while one client is idle and another one's task sleeps.
func testDrain(t *testing.T, path string, signal os.Signal) {
	c := startChild(t, path, "-v")
	idle := c.dial(t, "big")
	requireInStep(t, idle)
	task := c.sleeping(t, 300*time.Millisecond)
	require.NoError(t, c.cmd.Process.Signal(signal))
	require.NoError(t, <-task)
	c.requireExit(t, 0)
	_, err := idle.call(1, raw("late"))
	require.ErrorIs(t, err, serialclient.ErrGoodbye)
	_, err = serialclient.Dial(context.Background(), "tcp", c.addr, nil)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

// testCutOff sends a signal while a task sleeps for longer than its grace.
func testCutOff(t *testing.T, path string, signal os.Signal) {
	c := startChild(t, path, "-v", "-grace", "1ms")
	task := c.sleeping(t, time.Hour)
	require.NoError(t, c.cmd.Process.Signal(signal))
	requireCutOff(t, <-task)
	c.requireExit(t, 0)
}

// testTwice sends a signal to a daemon that drains already.
func testTwice(t *testing.T, path string, signal os.Signal) {
	c := startChild(t, path, "-v", "-grace", "1h")
	idle := c.dial(t, "big")
	requireInStep(t, idle)
	task := c.sleeping(t, time.Hour)
	require.NoError(t, c.cmd.Process.Signal(signal))
	_, err := idle.call(1, raw("late"))
	for err == nil { // the signal is on its way
		_, err = idle.call(1, raw("late"))
	}
	require.NoError(t, c.cmd.Process.Signal(signal))
	require.Equal(t, serialclient.Unknown, serialclient.OutcomeOf(<-task))
	_ = c.cmd.Wait()
	require.False(t, c.cmd.ProcessState.Success())
}

// testWait is told Goodbye by a daemon that waits for a moment only.
func testWait(t *testing.T, path string) {
	c := startChild(t, path, "-wait", "1ms")
	client := c.dial(t, "big")
	_, err := client.call(1, raw("hello"))
	for err == nil { // until it was too slow
		_, err = client.call(1, raw("hello"))
	}
	require.True(t, serialclient.SafeToRetry(err), "%v", err)
}

func testAddressInUse(t *testing.T, path string) {
	first := startChild(t, path)
	out, err := exec.Command(path, "-addr", first.addr).CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, exitFailed, exit.ExitCode())
	require.Contains(t, string(out), "cannot listen")
}

// testCannotAccept runs out of file descriptors.
func testCannotAccept(t *testing.T, path string) {
	c := startChild(t, "sh", "-c", `ulimit -n 20 && exec "$0" -grace 1ms`, path)
	for {
		conn, err := net.Dial("tcp", c.addr)
		if err != nil {
			break // it does not listen any more
		}
		defer conn.Close()
	}
	c.requireExit(t, exitFailed)
}
