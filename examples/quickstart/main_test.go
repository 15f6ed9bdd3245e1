package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

func TestMain(m *testing.M) { serialtest.Main(m) }

var update = flag.Bool("update", false, "write the expected output")

// folder makes a folder with these files and goes there.
func folder(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o666))
	}
	t.Chdir(dir)
}

// What differs from run to run, and what stands in its place.
var varying = []struct {
	found *regexp.Regexp
	mask  string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "HOST:PORT"},
	{regexp.MustCompile(`in [\d.]+[nµm]?s: [\d,]+ a second`), "in TIME: RATE a second"},
	{regexp.MustCompile(`(?m) {0,9}[\d.]+(ns|µs|ms|s)$`), "      TIME"},
	{regexp.MustCompile(`The input: .*[/\\]\w+\.`), "The input: DIRECTORY."},
}

func masked(output string) string {
	for _, v := range varying {
		output = v.found.ReplaceAllString(output, v.mask)
	}
	return output
}

// requireOutput runs the program and compares its masked output with a file of testdata.
func requireOutput(t *testing.T, golden string, names ...string) {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), &out, names))
	got := masked(out.String())
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o666))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// testdata returns the path of a file of testdata, wherever a test goes.
func testdata(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	require.NoError(t, err)
	return path
}

func TestOutputForAModule(t *testing.T) {
	serialtest.CheckLeaks(t)
	golden := testdata(t, "module.txt")
	files := map[string]string{
		"go.mod":             "module example\n",
		"README.md":          "One line,\n\ttwo  lines\n\nand no end",
		"check.go":           "123456789",
		"empty.md":           "",
		".hidden/unseen.md":  "unseen",
		"data.bin":           "unseen",
		"a/large.md":         string(bytes.Repeat([]byte("many words\n"), 3000)),
		"a/b/.unseen/see.go": "unseen",
	}
	for i := range 9 {
		files["a/b/"+string(rune('a'+i))+".go"] = "package b\n"
	}
	folder(t, files)
	t.Chdir("a") // the module is looked for upwards
	requireOutput(t, golden)
}

func TestOutputForNamedFiles(t *testing.T) {
	serialtest.CheckLeaks(t)
	golden := testdata(t, "named.txt")
	folder(t, map[string]string{"data.bin": "\x00\xff \xfe\n", "empty": ""})
	requireOutput(t, golden, "data.bin", "empty")
}

func TestUnreadableFilesAreNamed(t *testing.T) {
	folder(t, map[string]string{"here": "", "folder/file": ""})
	var out bytes.Buffer
	err := run(context.Background(), &out, []string{"nowhere", "here", "folder", "no/where"})
	require.EqualError(t, err, "cannot read nowhere: no such file or directory\n"+
		"cannot read folder: not a regular file\n"+
		"cannot read no/where: no such file or directory")
	require.Empty(t, out.String())
}

func TestInterruptedRun(t *testing.T) {
	serialtest.CheckLeaks(t)
	ctx, cancel := context.WithCancel(context.Background())
	for _, after := range []string{"The input", "A streamed", "Many small", "A cancelled", "The client knows", "Goodbye"} {
		out := &interrupting{after: after, interrupt: cancel}
		require.ErrorIs(t, run(ctx, out, []string{"main.go"}), context.Canceled, after)
		require.Contains(t, out.String(), after)
		ctx, cancel = context.WithCancel(context.Background())
	}
	cancel()
}

// interrupting interrupts a run after it has printed something.
type interrupting struct {
	bytes.Buffer
	after     string
	interrupt func()
}

func (w *interrupting) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(w.after)) {
		w.interrupt()
	}
	return w.Buffer.Write(p)
}
