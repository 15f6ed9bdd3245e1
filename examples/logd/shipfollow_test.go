package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/ship"
)

// TestShipFollowsUntilItIsTold: what is appended is in a tail, across a rotation, and TERM is a good end.
func TestShipFollowsUntilItIsTold(t *testing.T) {
	c := serving(t, t.TempDir())
	dir := t.TempDir()
	path := filepath.Join(dir, "f.log")
	extend := func(text string) {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		require.NoError(t, err)
		_, err = f.WriteString(text)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	extend("one\n")
	following := process("ship", "-addr", c.address, "-state", dir, "-follow", path)
	var summary, stderr bytes.Buffer
	following.Stdout, following.Stderr = &summary, &stderr
	require.NoError(t, following.Start())
	tail := process("tail", "-addr", c.address, "-cursor", "1", "service:f")
	pipe, err := tail.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, tail.Start())
	t.Cleanup(func() { following.Process.Kill(); tail.Process.Kill(); tail.Wait() })
	out := bufio.NewScanner(pipe)
	next := func() string {
		require.True(t, out.Scan())
		var r struct{ Message string }
		require.NoError(t, json.Unmarshal(out.Bytes(), &r))
		return r.Message
	}
	require.Equal(t, "one", next())
	extend("two\nbegun")
	require.Equal(t, "two", next())
	require.NoError(t, os.Rename(path, path+".1"))
	extend("three\n")
	require.Equal(t, "begun", next())
	require.Equal(t, "three", next())
	require.NoError(t, following.Process.Signal(syscall.SIGTERM))
	require.NoError(t, following.Wait(), stderr.String())
	require.Empty(t, stderr.String())
	var r ship.Report
	require.NoError(t, json.Unmarshal(summary.Bytes(), &r))
	require.EqualValues(t, 1, r.Rotations)
	exit, _, errs := runToEnd(t, "ship", "-addr", c.address, "-state", dir, path) // An answer may have been on its way.
	require.Zero(t, exit, errs)
	require.Equal(t, []string{"one", "two", "begun", "three"}, messages(t, c.address, "f"))
}
