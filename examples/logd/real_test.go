package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/ship"
)

var realLines = flag.Int("lines", 20_000, "length of the JSON-lines file that is shipped and queried back")

// TestTheMachinesOwnLogs ships the logs of dpkg and apt and gets them back line for line.
func TestTheMachinesOwnLogs(t *testing.T) {
	c := serving(t, t.TempDir())
	state := t.TempDir()
	found := 0
	for _, path := range []string{"/var/log/dpkg.log", "/var/log/apt/history.log", "/var/log/apt/term.log"} {
		b, err := os.ReadFile(path)
		if err != nil || len(b) == 0 {
			t.Logf("%s: not there (%v)", path, err)
			continue
		}
		var want []string
		for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
			if len(lines.Bytes()) > 0 {
				want = append(want, strings.ToValidUTF8(lines.Text(), "\uFFFD"))
			}
		}
		begin := time.Now()
		exit, out, errs := runToEnd(t, "ship", "-addr", c.address, "-state", state, path)
		require.Zero(t, exit, errs)
		t.Logf("%s in %v", strings.TrimSpace(out), time.Since(begin).Round(time.Millisecond))
		require.Equal(t, want, messages(t, c.address, ship.ServiceOf(path)), path)
		found++
	}
	if found == 0 {
		t.Skip("this machine has no logs of dpkg and apt")
	}
}

// jsonLine is the i-th line of the file, and what a query writes of it.
func jsonLine(i int) (line, want string) {
	at := time.Date(2026, 1, 2, 3, 4, 5, i%1e9, time.UTC).Add(time.Duration(i) * time.Millisecond)
	level := []string{"debug", "info", "warn", "error"}[i%4]
	message := []string{"request handled", "line\\nfeed", "caf\u00e9 \u65e5\u672c", `a \"quoted\" word`, "\\u001b[31mred"}[i%5]
	fields := fmt.Sprintf(`"n":%d,"took":%d.%03d,"cached":%t`, i, i%7, i%1000, i%3 == 0)
	line = fmt.Sprintf(`{"ts":"%s","lvl":"%s","service":"real","host":"h%d","msg":"%s",%s,"user":{"id":%d},"tags":["a",%d],"none":null}`,
		at.Format(time.RFC3339Nano), strings.ToUpper(level), i%10, message, fields, i%100, i)
	want = fmt.Sprintf(`{"id":%d,"time":"%s","level":"%s","service":"real","host":"h%d","message":"%s","fields":{%s,"user.id":%d,"tags":["a",%d],"none":null}}`,
		i+1, at.Format(time.RFC3339Nano), level, i%10, message, fields, i%100, i)
	return line, want
}

// TestManyJSONLines ships a file of -lines lines and gets them back line for line.
func TestManyJSONLines(t *testing.T) {
	n := *realLines
	dir := t.TempDir()
	path := filepath.Join(dir, "real.jsonl")
	f, err := os.Create(path)
	require.NoError(t, err)
	w := bufio.NewWriterSize(f, 1<<20)
	for i := range n {
		line, _ := jsonLine(i)
		w.WriteString(line)
		w.WriteByte('\n')
	}
	require.NoError(t, w.Flush())
	require.NoError(t, f.Close())

	c := serving(t, filepath.Join(dir, "data"))
	begin := time.Now()
	exit, out, errs := runToEnd(t, "ship", "-addr", c.address, "-state", filepath.Join(dir, "state"), path)
	require.Zero(t, exit, errs)
	shipped := time.Since(begin)
	t.Logf("%s", strings.TrimSpace(out))

	begin = time.Now()
	cmd := process("query", "-addr", c.address, "-limit", "0", "-order", "oldest")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(pipe)
	lines.Buffer(nil, 1<<20)
	i := 0
	for ; lines.Scan(); i++ {
		if _, want := jsonLine(i); want != lines.Text() {
			require.Equal(t, want, lines.Text(), "line %d", i)
		}
	}
	require.NoError(t, lines.Err())
	require.NoError(t, cmd.Wait(), stderr.String())
	require.Equal(t, n, i)
	queried := time.Since(begin)
	perSecond := func(d time.Duration) float64 { return float64(n) / d.Seconds() }
	t.Logf("%d lines shipped in %v (%.0f/s), queried back in %v (%.0f/s)", n, shipped.Round(time.Millisecond), perSecond(shipped),
		queried.Round(time.Millisecond), perSecond(queried))
}
