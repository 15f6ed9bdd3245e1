package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The client in Python, which was written from the documents of the wire alone, makes of each transcript of docs/protocol.md what
// that says, and finds each of its statements true of a collector.
func TestAClientInPythonAndTheDocumentAgree(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed: examples/logd/python is not tested")
	}
	want := len(regexp.MustCompile(`(?m)^    def test_`).FindAllString(pythonTests(t), -1))
	stores := serving(t, t.TempDir())
	full := serving(t, t.TempDir(), "-min-free", "1024TiB")

	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	// -B, as the test must not leave a cache beside the sources.
	tests := exec.CommandContext(ctx, python, "-B", "-W", "error::ResourceWarning", "-m", "unittest")
	tests.Dir = "python"
	tests.Env = append(os.Environ(), "LOGD="+stores.address, "LOGD_READ_ONLY="+full.address)
	out, err := tests.CombinedOutput()
	require.NoError(t, err, "%s", out)

	// unittest is content with no tests, too.
	ran := regexp.MustCompile(`(?m)^Ran (\d+) tests? in `).FindSubmatch(out)
	require.NotNil(t, ran, "%s", out)
	require.Equal(t, strconv.Itoa(want), string(ran[1]), "%s", out)
	require.NotContains(t, string(out), "skipped")
	require.Zero(t, stores.stop())
	require.Zero(t, full.stop())
}

// pythonTests returns the tests' sources. It reads all of the client and the document, too, so that a cached result is not
// taken when one of them has changed.
func pythonTests(t *testing.T) string {
	t.Helper()
	sources, err := filepath.Glob("python/*.py")
	require.NoError(t, err)
	var tests strings.Builder
	for _, name := range append(sources, "docs/protocol.md") {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		if strings.HasPrefix(filepath.Base(name), "test_") {
			tests.Write(source)
		}
	}
	require.NotZero(t, tests.Len())
	return tests.String()
}
