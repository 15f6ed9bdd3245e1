package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var shipKills = flag.Int("ship-kills", 12, "how often logd ship is killed")

// messages runs a query for everything of a service and returns the messages, in the order in which they were stored.
func messages(t *testing.T, address, service string) (all []string) {
	cmd := process("query", "-addr", address, "-limit", "0", "-order", "oldest", "service:"+service)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r struct{ Message string }
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		all = append(all, r.Message)
	}
	require.NoError(t, lines.Err())
	require.NoError(t, cmd.Wait(), stderr.String())
	return all
}

// TestShipIsKilled kills logd ship at random instants while the file grows and is rotated, and then lets it run to its end: the
// collector has each line once, in order.
func TestShipIsKilled(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	c := serving(t, t.TempDir())
	dir := t.TempDir()
	path, state := filepath.Join(dir, "k.log"), filepath.Join(dir, "state")
	args := []string{"ship", "-addr", "tcp://" + c.address, "-state", state, "-service", "k", path}
	var want []string
	appendLines := func(n int) {
		var text []byte
		for range n {
			line := fmt.Sprintf("line %d %x", len(want), rng.Uint64())
			want = append(want, line)
			text = append(text, line+"\n"...)
		}
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		require.NoError(t, err)
		_, err = f.Write(text)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	appendLines(5000)
	begin := time.Now()
	exit, _, errs := runToEnd(t, args...)
	require.Zero(t, exit, errs)
	usual := time.Since(begin)
	killed, rotations := 0, 0
	for range *shipKills {
		appendLines(2000 + rng.IntN(8000))
		cmd := process(args...)
		require.NoError(t, cmd.Start())
		ended := make(chan struct{})
		go func() { cmd.Wait(); close(ended) }()
		select {
		case <-time.After(time.Duration(rng.Int64N(int64(3 * usual)))):
			cmd.Process.Signal(syscall.SIGKILL)
			<-ended
		case <-ended:
		}
		if !cmd.ProcessState.Success() {
			killed++
		}
		if rng.IntN(4) == 0 { // What was rotated keeps its place in the order of time.
			rotations++
			rotated := fmt.Sprintf("%s-%08d", path, rotations)
			require.NoError(t, os.Rename(path, rotated))
			at := time.Unix(int64(rotations), 0)
			require.NoError(t, os.Chtimes(rotated, at, at))
			appendLines(1)
		}
	}
	var out string
	exit, out, errs = runToEnd(t, args...)
	require.Zero(t, exit, errs)
	got := messages(t, "tcp://"+c.address, "k")
	t.Logf("%d of %d lives were killed, %d rotations, %d lines; the last life: %s", killed, *shipKills, rotations, len(want), out)
	require.NotZero(t, killed, "no kill has hit")
	require.Equal(t, len(want), len(got))
	for i := range want {
		require.Equal(t, want[i], got[i], "line %d", i)
	}
}
