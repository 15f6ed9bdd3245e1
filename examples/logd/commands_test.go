package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/serialserver"

	"go.uber.org/zap"
)

// runHere runs a command in this process.
func runHere(t *testing.T, stdin string, args ...string) (exit int, stdout, stderr string) {
	var out, errs bytes.Buffer
	exit = run(t.Context(), args, stdio{strings.NewReader(stdin), &out, &errs})
	return exit, out.String(), errs.String()
}

// The state of a file is the same one, however its collector is written.
func TestAnAddressWithoutASchemeIsTheSameCollector(t *testing.T) {
	c := serving(t, t.TempDir())
	dir := t.TempDir()
	file := filepath.Join(dir, "a.log")
	require.NoError(t, os.WriteFile(file, []byte("once\n"), 0o600))
	bare := strings.TrimPrefix(c.address, "tcp://")
	for _, address := range []string{bare, "tcp://" + bare} {
		exit, _, errs := runHere(t, "", "ship", "-addr", address, "-state", filepath.Join(dir, "state"), file)
		require.Zero(t, exit, errs)
	}
	require.Equal(t, []string{"once"}, messages(t, c.address, "a"))
}

// What looks like a flag may be meant as a word of the query.
func TestWordsThatLookLikeFlags(t *testing.T) {
	for _, args := range [][]string{{"x -limit"}, {"--", "x", "-limit"}, {"x", "-limits"}, {"a", "-x", "-y"}} {
		exit, _, errs := runHere(t, "", append([]string{"query", "-addr", nowhere(t)}, args...)...)
		require.Equal(t, exitConnect, exit, "%q: %s", args, errs)
	}
}

// nowhere returns an address at which nobody listens.
func nowhere(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func TestNoConnection(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.log")
	require.NoError(t, os.WriteFile(file, []byte("a\n"), 0o600))
	for _, args := range [][]string{
		{"stats"}, {"query"}, {"tail"}, {"ship", "-patience", "1ns", "-state", t.TempDir(), file}, {"ship", "-patience", "1ns", "-"},
	} {
		args = append([]string{args[0], "-addr", nowhere(t)}, args[1:]...)
		exit, _, errs := runHere(t, "line\n", args...)
		require.Equal(t, exitConnect, exit, "%v: %s", args, errs)
		require.Contains(t, errs, "connection refused")
	}
	t.Setenv("LOGD_ADDR", nowhere(t))
	exit, _, _ := runHere(t, "", "stats")
	require.Equal(t, exitConnect, exit, "the variable is heeded")
}

func TestFilesThatCannotBeShipped(t *testing.T) {
	c := serving(t, t.TempDir())
	dir := t.TempDir()
	good, state := filepath.Join(dir, "good.log"), filepath.Join(dir, "state")
	require.NoError(t, os.WriteFile(good, []byte("1970-01-01 00:00:01 too old\nfine\n"), 0o600))
	exit, out, errs := runHere(t, "", "ship", "-addr", c.address, "-state", state, "-zone", "UTC", filepath.Join(dir, "missing"), good)
	require.Equal(t, exitFailure, exit)
	require.Contains(t, errs, "missing: open")
	var reports [2]map[string]any
	d := json.NewDecoder(strings.NewReader(out))
	require.NoError(t, d.Decode(&reports[0]))
	require.NoError(t, d.Decode(&reports[1]))
	require.NotEmpty(t, reports[0]["error"])
	require.EqualValues(t, 1, reports[1]["acknowledged"])
	require.Equal(t, map[string]any{"time: logwire: time out of range": 1.0}, reports[1]["refused"])

	exit, _, _ = runHere(t, "", "ship", "-addr", c.address, "-state", state, "-zone", "UTC", "-restart", good)
	require.Equal(t, exitIncomplete, exit, "a line was refused")
	require.Equal(t, []string{"fine", "fine"}, messages(t, c.address, "good"))

	exit, _, _ = runHere(t, "from a pipe\n{\"msg\":\"json\",\"service\":\"own\"}\n", "ship", "-addr", c.address, "-service", "p", "-")
	require.Zero(t, exit)
	require.Equal(t, []string{"from a pipe", "json"}, messages(t, c.address, "p"))
}

func TestQueryPagesAndSaysWhereToGoOn(t *testing.T) {
	c := serving(t, t.TempDir())
	exit, _, errs := runHere(t, strings.Repeat("line needle\n", 250), "ship", "-addr", c.address, "-service", "q", "-")
	require.Zero(t, exit, errs)
	exit, out, errs := runHere(t, "", "query", "-addr", c.address, "-order", "oldest", "-limit", "30", "service:q", "needle")
	require.Zero(t, exit)
	require.Equal(t, 30, strings.Count(out, "\n"))
	require.Equal(t, "logd: there may be more: go on with -order oldest -cursor 31\n", errs)
	exit, out, errs = runHere(t, "", "query", "-addr", c.address, "-order", "oldest", "-limit", "0", "-cursor", "31", "-plan", "-since", "1h", "-until", "0s", "needle")
	require.Zero(t, exit, errs)
	require.Equal(t, 220, strings.Count(out, "\n"))
	var plan logwire.Plan
	require.NoError(t, json.Unmarshal([]byte(errs), &plan))
	require.EqualValues(t, 220, plan.Matched)
	exit, out, errs = runHere(t, "", "query", "-addr", c.address, "-table", "-limit", "1")
	require.Zero(t, exit, errs)
	require.Equal(t, 2, strings.Count(out, "\n"))
	require.True(t, strings.HasPrefix(out, "TIME "))

	exit, out, errs = runHere(t, "", "query", "-addr", c.address, "ok", "level>>=x")
	require.Equal(t, exitUsage, exit)
	require.Empty(t, out)
	require.Contains(t, errs, "ok level>>=x\n   ^\n")
	exit, _, errs = runHere(t, "", "tail", "-addr", c.address, "level>>=x")
	require.Equal(t, exitUsage, exit)
	require.Contains(t, errs, "level>>=x\n^\n")
}

// breaking serves one query with these bytes and then drops the connection.
func breaking(t *testing.T, answer []byte, whole bool) string {
	srv := serialserver.New(nil)
	srv.Register(logwire.TaskQuery, func(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...interface{}) (io.Reader, error) {
		if whole {
			return bytes.NewReader(answer), nil
		}
		return io.MultiReader(bytes.NewReader(answer), &failingReader{}), nil
	}, "query")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(context.Background(), l) }()
	t.Cleanup(func() { srv.Close(); <-ended })
	return l.Addr().String()
}

type failingReader struct{}

func (*failingReader) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAnAnswerThatIsNotCompleteIsTold(t *testing.T) {
	record := logwire.Record{Time: 1, Level: logwire.Info, Service: "s", Message: "m"}
	one := logwire.AppendRecordFrame([]byte{byte(logwire.StatusOK)}, 1, logwire.AppendRecord(nil, &record))
	for name, address := range map[string]string{
		"broken off":       breaking(t, one, false),
		"without an end":   breaking(t, one, true),
		"an error":         breaking(t, logwire.AppendEndFrame(bytes.Clone(one), logwire.End{Reason: "error", Error: "disk\x1b"}), true),
		"damaged blocks":   breaking(t, logwire.AppendEndFrame(bytes.Clone(one), logwire.End{Reason: "end", Plan: logwire.Plan{Corrupt: 1, Lost: 9}}), true),
		"half of a record": breaking(t, one[:len(one)-1], true),
	} {
		exit, out, errs := runHere(t, "", "query", "-addr", address)
		require.Equal(t, exitIncomplete, exit, "%s: %s", name, errs)
		require.Contains(t, errs, "not complete", name)
		require.NotContains(t, errs, "\x1b")
		if name != "half of a record" {
			require.Equal(t, 1, strings.Count(out, "\n"), "what came is shown: %s", name)
		}
	}
}

func TestTailGoesOnWhereItWas(t *testing.T) {
	dir := t.TempDir()
	c := serving(t, dir)
	cmd := process("tail", "-addr", c.address, "-cursor", "1", "service:t")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill() })
	out := bufio.NewScanner(pipe)
	next := func() string {
		require.True(t, out.Scan())
		var r struct{ Message string }
		require.NoError(t, json.Unmarshal(out.Bytes(), &r))
		return r.Message
	}
	ship := func(c *collector, text string) {
		exit, _, errs := runHere(t, text, "ship", "-addr", c.address, "-service", "t", "-")
		require.Zero(t, exit, errs)
	}
	ship(c, "one\ntwo\n")
	require.Equal(t, "one", next())
	require.Equal(t, "two", next())
	require.Zero(t, c.stop())
	again := serving(t, dir, "-listen", "tcp://"+c.address)
	ship(again, "three\n")
	require.Equal(t, "three", next())
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.False(t, out.Scan())
	require.NoError(t, cmd.Wait())
	require.Contains(t, stderr.String(), "logd: connecting again: ")
	require.Contains(t, stderr.String(), "logd: go on with -cursor 4\n")
}

// onTerminal runs logd on a pseudo-terminal and returns what it shows.
func onTerminal(t *testing.T, env []string, columns uint16, args ...string) string {
	cmd := process(args...)
	cmd.Env = append(cmd.Env, env...)
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: columns})
	require.NoError(t, err)
	defer f.Close()
	b, _ := io.ReadAll(f) // It ends with EIO when the process has ended.
	require.NoError(t, cmd.Wait(), string(b))
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

func TestOnATerminal(t *testing.T) {
	c := serving(t, t.TempDir())
	dir := t.TempDir()
	path := filepath.Join(dir, "api.log")
	require.NoError(t, os.WriteFile(path, []byte("2026-01-02T03:04:05Z ERROR \x1b]0;title\a"+strings.Repeat("x", 100)+"\n"), 0o600))
	shown := onTerminal(t, nil, 100, "ship", "-addr", c.address, "-state", dir, path)
	require.Contains(t, shown, "\r\x1b[K", "progress")
	require.True(t, strings.HasSuffix(shown, path+": 1 lines, 138 B: 1 acknowledged\n"), shown)

	query := []string{"query", "-addr", c.address, "service:api"}
	shown = onTerminal(t, []string{"NO_COLOR=", "TERM=xterm", "TZ=UTC"}, 70, query...)
	require.Equal(t, "TIME                    LEVEL SERVICE        MESSAGE\n2026-01-02 03:04:05.000 \x1b[31merror\x1b[0m api            2026-01-02T03:04:05Z ERR…\n", shown)
	for _, env := range [][]string{{"NO_COLOR=1", "TERM=xterm"}, {"NO_COLOR=", "TERM=dumb"}} {
		shown = onTerminal(t, env, 200, query...)
		require.NotContains(t, shown, "\x1b")
		require.Contains(t, shown, `\x1b]0;title\a`)
		require.Contains(t, shown, "HOST")
	}
	shown = onTerminal(t, nil, 70, "query", "-addr", c.address, "-json")
	require.True(t, strings.HasPrefix(shown, `{"id":1,`), shown)
	require.Equal(t, "logd: no record was found\n", onTerminal(t, nil, 70, "query", "-addr", c.address, "service:none"))
	require.Contains(t, onTerminal(t, nil, 70, "stats", "-addr", c.address), "appended   1 records, 1 batches")
}
