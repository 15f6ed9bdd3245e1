package serialtest_test

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serialkit/serialkit/serialtest"
	"github.com/stretchr/testify/require"
)

// recorder is the part of testing.TB that CheckLeaks uses.
type recorder struct {
	testing.TB
	cleanup func()
	failed  bool
	message string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanup = f }
func (r *recorder) Failed() bool     { return r.failed }
func (r *recorder) Errorf(format string, args ...any) {
	r.failed, r.message = true, fmt.Sprintf(format, args...)
}

// leaveBehind starts a goroutine that runs until the returned channel is closed.
// It is in waitFor when leaveBehind returns.
func leaveBehind() (release chan struct{}) {
	started, release := make(chan struct{}), make(chan struct{})
	go waitFor(started, release)
	<-started
	return release
}

func waitFor(started, release chan struct{}) {
	close(started)
	<-release
}

func TestCheckLeaksShowsTheStack(t *testing.T) {
	r := &recorder{}
	serialtest.CheckLeaksWithin(r, 0)
	defer close(leaveBehind())
	r.cleanup()
	require.True(t, r.failed)
	require.Contains(t, r.message, "serialtest: 1 goroutines are still running:\n\ngoroutine ")
	require.Contains(t, r.message, "serialtest_test.waitFor")
	require.Contains(t, r.message, "created by github.com/serialkit/serialkit/serialtest_test.leaveBehind")
	require.Equal(t, 1, strings.Count(r.message, "created by"), "only the leaked one:\n%s", r.message)
}

func TestCheckLeaksIgnoresWhatRanBefore(t *testing.T) {
	defer close(leaveBehind())
	r := &recorder{}
	serialtest.CheckLeaksWithin(r, 0)
	r.cleanup()
	require.False(t, r.failed, r.message)
}

// The goroutine ends some time after the test, within the grace.
func TestCheckLeaksGivesTimeToFinish(t *testing.T) {
	r := &recorder{}
	serialtest.CheckLeaks(r)
	release := leaveBehind()
	time.AfterFunc(20*time.Millisecond, func() { close(release) })
	r.cleanup()
	require.False(t, r.failed, r.message)
}

func TestCheckLeaksWaitsAtMostForTheGrace(t *testing.T) {
	const grace = 30 * time.Millisecond
	r := &recorder{}
	serialtest.CheckLeaksWithin(r, grace)
	defer close(leaveBehind())
	start := time.Now()
	r.cleanup()
	require.True(t, r.failed)
	require.GreaterOrEqual(t, time.Since(start), grace)
}

func TestCheckLeaksKeepsQuietAfterAFailure(t *testing.T) {
	r := &recorder{}
	serialtest.CheckLeaks(r)
	defer close(leaveBehind())
	r.failed = true
	r.cleanup()
	require.Empty(t, r.message)
}

func TestCheckLeaksInABubble(t *testing.T) {
	defer close(leaveBehind()) // outside: does not count
	synctest.Test(t, func(t *testing.T) {
		clean := &recorder{}
		serialtest.CheckLeaks(clean)
		go func() {
			for range 200_000 {
				runtime.Gosched() // busy, so it will end
			}
		}()
		clean.cleanup()
		require.False(t, clean.failed, clean.message)

		leaky := &recorder{}
		serialtest.CheckLeaks(leaky)
		release := leaveBehind()
		start := time.Now()
		leaky.cleanup()
		require.True(t, leaky.failed)
		require.Zero(t, time.Since(start), "no time passes")
		require.Contains(t, leaky.message, "serialtest_test.waitFor")
		require.Equal(t, 1, strings.Count(leaky.message, "created by"), leaky.message)
		close(release)
	})
}

// Outside, the goroutines of bubbles do not count: those look after themselves.
func TestCheckLeaksBesideABubble(t *testing.T) {
	r := &recorder{}
	serialtest.CheckLeaksWithin(r, 0)
	ready, done, release := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		synctest.Test(t, func(*testing.T) {
			inner := leaveBehind()
			close(ready)
			<-release
			close(inner)
		})
	}()
	<-ready
	r.cleanup()
	close(release)
	<-done
	require.NotContains(t, r.message, "leaveBehind")
}

// Tests that wait for their turn are goroutines, and os/signal keeps one.
func TestCheckLeaksIgnoresForeignGoroutines(t *testing.T) {
	r := &recorder{}
	serialtest.CheckLeaksWithin(r, 0)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	signal.Stop(signals)
	t.Run("waits for its parent", func(t *testing.T) { t.Parallel() })
	r.cleanup()
	require.False(t, r.failed, r.message)
}

func TestCheckLeaksInARealTest(t *testing.T) {
	serialtest.CheckLeaks(t)
	client, server := serialtest.Pipe()
	read := reading(server, 1)
	require.NoError(t, client.Close())
	<-read
}

func TestMainFailsOnLeaks(t *testing.T) {
	var out bytes.Buffer
	require.Zero(t, serialtest.ExitCode(func() int { return 0 }, 0, &out))
	require.Equal(t, 2, serialtest.ExitCode(func() int { return 2 }, 0, &out))
	require.Empty(t, out.String())

	var release chan struct{}
	leaky := func() int { release = leaveBehind(); return 0 }
	require.Equal(t, 1, serialtest.ExitCode(leaky, 0, &out))
	close(release)
	require.Contains(t, out.String(), "serialtest: after all tests, 1 goroutines are still running:\n\ngoroutine ")
	require.Contains(t, out.String(), "serialtest_test.waitFor")

	out.Reset()
	failed := func() int { release = leaveBehind(); return 3 }
	require.Equal(t, 3, serialtest.ExitCode(failed, time.Hour, &out))
	close(release)
	require.Empty(t, out.String(), "the failure says enough")
}
