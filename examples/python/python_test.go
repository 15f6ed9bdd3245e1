// Package python_test runs the tests of the Python client against two daemons, one of each byte order.
package python_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	root     = "../.."
	patience = 3 * time.Minute
)

func TestPythonClient(t *testing.T) {
	dependOnSources(t)
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatalf("the Python client needs python3 to be tested: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()

	binary := filepath.Join(t.TempDir(), "interop")
	out, err := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, "../interop").CombinedOutput()
	if err != nil {
		t.Fatalf("building the daemon: %v\n%s", err, out)
	}
	big, little := startDaemon(ctx, t, binary, "big"), startDaemon(ctx, t, binary, "little")

	// -B, as the test must not leave a cache beside the sources.
	tests := exec.CommandContext(ctx, python, "-B", "-W", "error::ResourceWarning", "-m", "unittest")
	tests.Env = append(os.Environ(), "SERIALKIT_BIG="+big.address, "SERIALKIT_LITTLE="+little.address)
	out, err = tests.CombinedOutput()
	if err != nil {
		t.Errorf("python3 -m unittest: %v\n%s", err, out)
	} else {
		checkRan(t, string(out))
	}
	big.stop(t)
	little.stop(t)
}

// dependOnSources makes a cached result of this test invalid when a file changes that it depends on without importing
// it: go test remembers the directories that a test has read, and their files' times.
func dependOnSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

var (
	ran  = regexp.MustCompile(`(?m)^Ran (\d+) tests? in `)
	test = regexp.MustCompile(`(?m)^    def test_`)
)

// checkRan checks that all the tests in the file were run, as unittest is content with none, too.
func checkRan(t *testing.T, output string) {
	t.Helper()
	source, err := os.ReadFile("test_serialkit.py")
	if err != nil {
		t.Fatal(err)
	}
	want := len(test.FindAll(source, -1))
	match := ran.FindStringSubmatch(output)
	if match == nil || want == 0 {
		t.Fatalf("%d tests are there, and the output does not say how many ran:\n%s", want, output)
	}
	got, err := strconv.Atoi(match[1])
	if err != nil {
		t.Fatal(err)
	}
	if got != want || strings.Contains(output, "skipped") {
		t.Errorf("%d tests ran, %d are there:\n%s", got, want, output)
	}
}

type daemon struct {
	command *exec.Cmd
	order   string
	address string
	log     bytes.Buffer
	drained chan struct{} // closed at the end of the standard output
	stopped bool
}

// startDaemon starts the reference daemon and waits until it is ready.
func startDaemon(ctx context.Context, t *testing.T, binary, order string) *daemon {
	t.Helper()
	d := &daemon{order: order, drained: make(chan struct{})}
	d.command = exec.CommandContext(ctx, binary, "-addr", "127.0.0.1:0", "-order", order)
	d.command.Stderr = &d.log
	stdout, err := d.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.command.Start(); err != nil {
		t.Fatalf("starting the daemon: %v", err)
	}
	t.Cleanup(func() {
		if !d.stopped { // the test has failed before
			_ = d.command.Process.Kill()
			<-d.drained
			_ = d.command.Wait()
		}
		if t.Failed() {
			t.Logf("log of the daemon (%s), its end:\n%s", order, d.log.Bytes()[max(0, d.log.Len()-10_000):])
		}
	})
	reader := bufio.NewReader(stdout)
	line, err := reader.ReadString('\n')
	go func() {
		defer close(d.drained)
		_, _ = io.Copy(io.Discard, reader)
	}()
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ok {
		t.Fatalf("the first line of the daemon (%s) is %q, want ready HOST:PORT: %v", order, line, err)
	}
	d.address = address
	return d
}

// stop ends the daemon as a service manager does, and expects it to end well.
func (d *daemon) stop(t *testing.T) {
	t.Helper()
	if err := d.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("stopping the daemon (%s): %v", d.order, err)
		return
	}
	<-d.drained
	d.stopped = true
	if err := d.command.Wait(); err != nil {
		t.Errorf("the daemon (%s) after SIGTERM: %v", d.order, err)
	}
}
