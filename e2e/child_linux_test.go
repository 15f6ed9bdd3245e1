package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A child is this test binary, run again as a process of its own, so that its memory, its CPU time and its
// descriptors are its alone. It says that it is ready, answers each line that it reads with one, and ends when
// there are no more.

// childVar is the variable that names the part of a child, and childArgs the one with its arguments, in JSON.
const (
	childVar  = "SERIALKIT_E2E_CHILD"
	childArgs = "SERIALKIT_E2E_ARGS"
)

// children are the parts.
var children = map[string]func(){
	"server":   serverChild,
	"attacker": attackerChild,
}

// child is a child that runs.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	ready string // what it said
	ended bool   // stop was called
}

// startChild starts a child. It has ended when the test has.
func startChild(t *testing.T, name string, args any, env ...string) *child {
	t.Helper()
	encoded, err := json.Marshal(args)
	require.NoError(t, err)
	c := &child{t: t, cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childVar+"="+name, childArgs+"="+string(encoded))
	c.cmd.Env = append(c.cmd.Env, env...)
	c.cmd.Stderr = os.Stderr
	c.in, err = c.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	c.out = bufio.NewReader(out)
	require.NoError(t, c.cmd.Start())
	t.Cleanup(c.stop)
	c.ready = c.line()
	return c
}

// stop tells the child to end, and waits for that.
func (c *child) stop() {
	if c.ended {
		return
	}
	c.ended = true
	c.in.Close()
	if err := c.cmd.Wait(); err != nil {
		c.t.Errorf("child: %v", err)
	}
}

func (c *child) line() string {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	require.NoError(c.t, err, "the child has ended")
	return strings.TrimSpace(line)
}

// ask sends a line and decodes the answer.
func (c *child) ask(answer any) {
	c.t.Helper()
	_, err := io.WriteString(c.in, "how are you\n")
	require.NoError(c.t, err)
	require.NoError(c.t, json.Unmarshal([]byte(c.line()), answer))
}

// arguments decodes those of this child.
func arguments(args any) {
	if err := json.Unmarshal([]byte(os.Getenv(childArgs)), args); err != nil {
		panic(err)
	}
}

// serveParent says that the child is ready, and answers the parent until it says no more.
func serveParent(ready string, answer func() any) {
	fmt.Println(ready)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		encoded, err := json.Marshal(answer())
		if err != nil {
			panic(err)
		}
		fmt.Println(string(encoded))
	}
}

// used is how much CPU time this process has used, and the most bytes that it has had resident.
func used() (cpu time.Duration, peak int64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), u.Maxrss << 10
}
