package serialdaemon_test

import (
	"bufio"
	"context"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
)

var (
	programInDoc   = regexp.MustCompile(`(?m)^//\tpackage main\n(?://(?:\t.*)?\n)+`)
	programInGuide = regexp.MustCompile("(?s)```go\n(package main\n.*?)```")
	commentSign    = regexp.MustCompile(`(?m)^//\t?`)
)

// The program in the package's documentation is that of the guide, is formatted, builds, and is a daemon.
func TestDocumentedProgram(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	program := strings.TrimSpace(commentSign.ReplaceAllString(string(programInDoc.Find(doc)), "")) + "\n"
	guide, err := os.ReadFile(filepath.Join("..", "docs", "guides", "daemon.md"))
	require.NoError(t, err)
	inGuide := programInGuide.FindSubmatch(guide)
	require.Len(t, inGuide, 2)
	require.Equal(t, program, string(inGuide[1]))

	ctx, cancel := context.WithTimeout(context.Background(), childLimit)
	defer cancel()
	source, binary := filepath.Join(t.TempDir(), "main.go"), filepath.Join(t.TempDir(), "greeter")
	put(t, source, []byte(program))
	formatted, err := format.Source([]byte(program))
	require.NoError(t, err)
	require.Equal(t, string(formatted), program)
	said, err := exec.CommandContext(ctx, "go", "build", "-o", binary, source).CombinedOutput()
	require.NoError(t, err, "%s", said)

	daemon := exec.CommandContext(ctx, binary, "-endpoints", "tcp://127.0.0.1:0", "-greeting", "hi")
	out, err := daemon.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, daemon.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	address := strings.TrimSuffix(strings.TrimPrefix(lines.Text(), "ready ["), "]")
	c, err := serialclient.Dial(ctx, "tcp", address, nil)
	require.NoError(t, err)
	defer c.Close()
	answer, err := c.Call(ctx, 1, nil)
	require.NoError(t, err)
	require.Equal(t, "hi", string(answer))
	require.NoError(t, daemon.Process.Signal(syscall.SIGTERM))
	require.NoError(t, daemon.Wait())
}
