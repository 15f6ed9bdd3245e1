package crashtest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/serialkit/serialkit/serialclient"
	"github.com/stretchr/testify/require"
)

// collector is the real command, built once, run again and again on one directory.
type collector struct {
	t      *testing.T
	binary string
	data   string
	socket string

	extra   []string // flags for the next start
	process *exec.Cmd
	log     *lockedBuffer
}

func newCollector(t *testing.T) *collector {
	dir := t.TempDir()
	c := &collector{t: t, binary: filepath.Join(dir, "logd"), data: filepath.Join(dir, "data"), socket: filepath.Join(dir, "s")}
	build := exec.Command("go", "build", "-o", c.binary, "github.com/serialkit/serialkit/examples/logd")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Cleanup(c.kill)
	return c
}

// start starts the process and does not wait for it to be ready.
func (c *collector) start() (stdout *bufio.Reader) {
	c.log = new(lockedBuffer)
	args := append([]string{"serve", "-data", c.data, "-listen", "unix://" + c.socket, "-min-free", "1MiB",
		"-seal.size", "64KiB", "-log", "warn"}, c.extra...)
	c.process = exec.Command(c.binary, args...)
	c.process.Stderr = c.log
	pipe, err := c.process.StdoutPipe()
	require.NoError(c.t, err)
	require.NoError(c.t, c.process.Start())
	return bufio.NewReader(pipe)
}

// ready starts the process and returns when it listens.
func (c *collector) ready() {
	line, err := c.start().ReadString('\n')
	require.NoError(c.t, err, "the collector did not start: %s", c.log)
	require.True(c.t, strings.HasPrefix(line, "ready "), "%q", line)
}

// kill ends the process as a crash does: SIGKILL.
func (c *collector) kill() {
	if c.process == nil {
		return
	}
	_ = c.process.Process.Kill()
	err := c.process.Wait()
	c.process = nil
	var exit *exec.ExitError
	require.ErrorAs(c.t, err, &exit)
	require.Equal(c.t, -1, exit.ExitCode(), "the collector ended by itself: %v: %s", err, c.log)
	require.NotContains(c.t, c.log.String(), `"level":"error"`)
}

// stop ends the process as an operator does.
func (c *collector) stop() {
	require.NoError(c.t, c.process.Process.Signal(os.Interrupt))
	require.NoError(c.t, c.process.Wait(), "%s", c.log)
	c.process = nil
}

func (c *collector) dial(ctx context.Context) (*serialclient.Client, error) {
	return serialclient.Dial(ctx, "unix", c.socket, binary.BigEndian, serialclient.WithTimeout(patience))
}

// lockedBuffer is what a process writes to standard error.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
