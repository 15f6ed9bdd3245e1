package main

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"syscall"
	"time"
)

// maxOutput is how much of a child's output is kept: enough for the stacks of a thousand goroutines. What a
// mutant prints without end is dropped.
const maxOutput = 4 << 20

// killedAfter is how long the output of a child that was killed may stay open, for instance because a process
// of its own has left its group. Tests change it.
var killedAfter = 5 * time.Second

// child is how a child ended.
type child struct {
	output string
	failed bool // with an exit status other than 0, or killed
	hung   bool // at the limit
}

// runChild runs a command in dir for at most limit, and then kills its process group. The error says that
// the command could not be run, or that ctx is done.
func runChild(ctx context.Context, limit time.Duration, dir string, name string, args ...string) (child, error) {
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(within, name, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = killedAfter
	out := new(capped)
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	if ctx.Err() != nil {
		return child{}, ctx.Err()
	}
	var exit *exec.ExitError
	if err != nil && within.Err() == nil && !errors.As(err, &exit) {
		return child{}, err
	}
	return child{output: out.kept.String(), failed: err != nil, hung: err != nil && within.Err() != nil}, nil
}

// capped keeps the first maxOutput bytes that are written to it. One goroutine uses it at a time.
type capped struct{ kept bytes.Buffer }

// Write keeps what there is room for, and takes the rest as well.
func (c *capped) Write(p []byte) (int, error) {
	c.kept.Write(p[:min(len(p), maxOutput-c.kept.Len())])
	return len(p), nil
}
