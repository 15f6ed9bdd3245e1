package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialdaemon"
)

// limit is how long a test's processes live at most.
const limit = 2 * time.Minute

// process is a daemon.
type process struct {
	*exec.Cmd
	lines  *bufio.Scanner
	stderr bytes.Buffer // after the end
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	p := &process{Cmd: exec.CommandContext(ctx, os.Args[0], args...)}
	p.Env, p.Stderr = append(os.Environ(), daemonEnv+"=1"), &p.stderr
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	p.lines = bufio.NewScanner(out)
	t.Cleanup(func() {
		if p.ProcessState == nil {
			p.Process.Kill()
			p.Wait()
		}
	})
	return p
}

// ready waits until the daemon is, and returns where it listens first.
func (p *process) ready(t *testing.T) (network, address string) {
	t.Helper()
	if !p.lines.Scan() {
		p.Wait()
		require.FailNow(t, "the daemon has ended", &p.stderr)
	}
	said := strings.Fields(p.lines.Text())
	require.Equal(t, []string{"ready", fmt.Sprint(p.Process.Pid)}, said[:2])
	return said[2], said[3]
}

// code waits for the end.
func (p *process) code(t *testing.T) int {
	t.Helper()
	var failed *exec.ExitError
	if err := p.Wait(); err != nil {
		require.True(t, errors.As(err, &failed), err)
	}
	return p.ProcessState.ExitCode()
}

// callsEach is after how many calls a client connects anew: somebody does at any time, also while a process
// fails.
const callsEach = 20

// load are clients that call as fast as they can, and connect again when they are told Goodbye.
type load struct {
	network, address string
	stop             atomic.Bool
	clients          sync.WaitGroup
	answered, notRun atomic.Int64
	wrong            chan error  // what no client should see
	seen             chan string // who has answered, whenever that is another one than before
}

func newLoad(clients int, network, address string) *load {
	l := &load{network: network, address: address, wrong: make(chan error, clients), seen: make(chan string, 1000)}
	for range clients {
		l.clients.Go(func() {
			if err := l.run(); err != nil {
				l.wrong <- err
			}
		})
	}
	return l
}

func (l *load) run() error {
	latest := ""
	for !l.stop.Load() {
		c, err := serialclient.Dial(context.Background(), l.network, l.address, nil)
		if err != nil {
			return err // the address is never closed
		}
		for calls := 0; err == nil && calls < callsEach && !l.stop.Load(); calls++ {
			var answer []byte
			if answer, err = c.Call(context.Background(), taskWho, nil); err != nil {
				break
			}
			l.answered.Add(1)
			if who := string(answer); who != latest {
				latest = who
				l.seen <- who
			}
		}
		c.Close()
		if err != nil && !serialclient.SafeToRetry(err) {
			return err
		}
		if err != nil {
			l.notRun.Add(1)
		}
	}
	return nil
}

// sees waits until every client was answered by a process.
func (l *load) sees(t *testing.T, clients int, p *process) {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for clients > 0 {
		select {
		case who := <-l.seen:
			if who == fmt.Sprint(p.Process.Pid) {
				clients--
			}
		case err := <-l.wrong:
			require.NoError(t, err)
		case <-timer.C:
			require.FailNow(t, "not every client was answered")
		}
	}
}

// Ten restarts under load: no call is lost, and no connection refused.
func TestRestart(t *testing.T) {
	const clients, restarts = 8, 10
	for _, endpoint := range []string{"tcp://127.0.0.1:0", "unix://" + filepath.Join(t.TempDir(), "s")} {
		args := []string{"-handover", filepath.Join(t.TempDir(), "control"), "-endpoints", endpoint}
		now := start(t, args...)
		network, address := now.ready(t)
		l := newLoad(clients, network, address)
		l.sees(t, clients, now)
		for range restarts {
			failing := start(t, append(args, "-fail")...)
			require.Equal(t, serialdaemon.ExitFailure, failing.code(t))
			next := start(t, args...)
			next.ready(t)
			require.Equal(t, serialdaemon.ExitOK, now.code(t))
			l.sees(t, clients, next)
			now = next
		}
		l.stop.Store(true)
		l.clients.Wait()
		require.Empty(t, l.wrong)
		require.GreaterOrEqual(t, l.notRun.Load(), int64(clients), "the clients were told Goodbye")
		t.Logf("%s: %d calls answered, %d not run, %d restarts", endpoint, l.answered.Load(), l.notRun.Load(), restarts)
		require.NoError(t, now.Process.Signal(syscall.SIGTERM))
		require.Equal(t, serialdaemon.ExitOK, now.code(t))
	}
}
