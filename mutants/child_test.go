package main

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestRunChild(t *testing.T) {
	for script, want := range map[string]child{
		"echo out; echo err >&2": {output: "out\nerr\n"},
		"echo out; exit 3":       {output: "out\n", failed: true},
	} {
		got, err := runChild(t.Context(), time.Hour, t.TempDir(), "sh", "-c", script)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", script, got, err, want)
		}
	}
	if _, err := runChild(t.Context(), time.Hour, t.TempDir(), "no-such-command"); err == nil {
		t.Error("a command that cannot be run is an error")
	}
}

// A child at its limit ends with all that it has started: what holds its output open is waited for.
func TestRunChildAtItsLimit(t *testing.T) {
	defer func(d time.Duration) { killedAfter = d }(killedAfter)
	killedAfter = time.Hour
	got, err := runChild(t.Context(), 100*time.Millisecond, t.TempDir(), "sh", "-c", "sleep 3600 & wait")
	if want := (child{failed: true, hung: true}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// A run that is interrupted is no verdict.
func TestRunChildInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := runChild(ctx, time.Hour, t.TempDir(), "sh", "-c", "exit 1"); err != context.Canceled {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestOutputIsBounded(t *testing.T) {
	got, err := runChild(t.Context(), time.Hour, t.TempDir(), "sh", "-c", "head -c 5000000 /dev/zero")
	if err != nil || len(got.output) != maxOutput || got.failed {
		t.Errorf("got %d bytes, failed %v, %v, want %d", len(got.output), got.failed, err, maxOutput)
	}
}

func TestParseOutcomes(t *testing.T) {
	o := parseOutcomes(strings.Join([]string{
		"=== RUN   TestGood", "=== RUN   TestGood/sub", "--- PASS: TestGood (0.00s)", "    --- PASS: TestGood/sub (0.00s)",
		"=== RUN   TestBad", "    x_test.go:1: why", "--- FAIL: TestBad (0.00s)",
		"=== RUN   TestSkipped", "--- SKIP: TestSkipped (0.00s)",
		"=== RUN   TestKilled", "=== RUN   TestKilled/sub", "panic: boom", "",
	}, "\n"))
	if got := strings.Join(o.failures(), " "); got != "TestBad TestKilled" {
		t.Errorf("failed: %s", got)
	}
	if len(o.passed) != 1 || !o.passed["TestGood"] {
		t.Errorf("passed: %v", o.passed)
	}
}
