package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The program of docs/client.md builds in a module of its own, as the document says, and its record arrives.
func TestTheProgramOfTheGuide(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("docs", "client.md"))
	require.NoError(t, err)
	part := func(pattern string) string {
		found := regexp.MustCompile("(?s)```" + pattern + "```").FindSubmatch(guide)
		require.NotNil(t, found, pattern)
		return string(found[1])
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	sums, err := os.ReadFile(filepath.Join("logclient", "go.sum"))
	require.NoError(t, err)
	c := serving(t, t.TempDir())
	dir, spool := t.TempDir(), filepath.Join(t.TempDir(), "spool")
	for name, text := range map[string]string{
		"main.go": strings.NewReplacer("tcp://127.0.0.1:7600", "tcp://"+c.address, "/tmp/api-spool", spool).Replace(part(`go\n(package main.*?)`)),
		"go.mod":  strings.ReplaceAll(part(`\n(module .*?)`), "../serialkit", root),
		"go.sum":  string(sums),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "-mod=mod", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false", "GOPROXY=off")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Empty(t, string(out), "nothing was left")
	require.DirExists(t, spool)
	require.Equal(t, []string{"request served"}, messages(t, c.address, "api"))
}
