package serialtest

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// leakGrace is how long goroutines that are just finishing may take. Only a
// leak costs that much time.
const leakGrace = 5 * time.Second

// CheckLeaks makes the test fail if goroutines that were started after this
// call are still running when the test and its other cleanups have ended, and
// shows their stacks. Call it first. Goroutines get 5 seconds to finish. A test
// that has failed already is not checked again.
//
// Goroutines of the runtime and of package testing do not count; those of tests
// that run in parallel do: check such a package with Main.
//
// In a testing/synctest bubble exactly the bubble's goroutines count, and they
// get no time: those that are not blocked are waited for, and whatever is still
// there then has leaked. The bubble itself panics on the same goroutines a
// moment later, so CheckLeaks is not needed there, but code shared by tests
// inside and outside of bubbles may call it.
func CheckLeaks(t testing.TB) {
	t.Helper()
	checkLeaks(t, leakGrace)
}

func checkLeaks(t testing.TB, grace time.Duration) {
	t.Helper()
	before := running().ids()
	t.Cleanup(func() {
		t.Helper()
		if t.Failed() {
			return
		}
		if leaked := awaitNone(before, grace); len(leaked) > 0 {
			t.Errorf("serialtest: %s", report(leaked))
		}
	})
}

// Main runs the tests of a package and exits, as os.Exit(m.Run()) does, but
// with status 1 and the stacks on standard error if the tests passed and left
// goroutines running. They get 5 seconds to finish.
//
//	func TestMain(m *testing.M) { serialtest.Main(m) }
func Main(m *testing.M) {
	os.Exit(exitCode(m.Run, leakGrace, os.Stderr))
}

func exitCode(run func() int, grace time.Duration, out io.Writer) int {
	before := running().ids()
	if code := run(); code != 0 {
		return code
	}
	leaked := awaitNone(before, grace)
	if len(leaked) == 0 {
		return 0
	}
	fmt.Fprintf(out, "serialtest: after all tests, %s\n", report(leaked))
	return 1
}

func report(leaked []goroutine) string {
	stacks := make([]string, len(leaked))
	for i, g := range leaked {
		stacks[i] = g.stack
	}
	return fmt.Sprintf("%d goroutines are still running:\n\n%s", len(leaked), strings.Join(stacks, "\n\n"))
}

// awaitNone waits until no goroutine counts that was not running before, at
// most for grace, and returns those that are left.
func awaitNone(before map[string]bool, grace time.Duration) []goroutine {
	const longest = 100 * time.Millisecond
	if running().bubble != "" {
		synctest.Wait() // all that can end has ended: no need for grace
		grace = 0
	}
	end := time.Now().Add(grace)
	runtime.Gosched() // enough for most of those that are just returning
	for wait := time.Microsecond; ; wait = min(2*wait, longest) {
		leaked := running().since(before)
		rest := time.Until(end)
		if len(leaked) == 0 || rest <= 0 {
			return leaked
		}
		time.Sleep(min(wait, rest))
	}
}
