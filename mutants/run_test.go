package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fixture is a tree with one guarded function and its tests.
var fixture = map[string]string{
	"go.mod": "module fixture\n\ngo 1.26.0\n",
	"guard/guard.go": `package guard

// Max is the limit.
const Max = 10

// Fits reports whether n is within the limit.
func Fits(n int) bool {
	if n > Max {
		return false
	}
	return true
}
`,
	"guard/guard_test.go": `package guard

import "testing"

func TestAtTheLimit(t *testing.T) {
	if !Fits(Max) || Fits(Max+1) {
		t.Error("the limit is wrong")
	}
}

func TestBelow(t *testing.T) {
	if !Fits(1) {
		t.Error("1 does not fit")
	}
}
`,
}

// seeded returns an entry of the fixture that replaces the line of the guard.
func seeded(test, line string) string {
	return "Removed.\n\npackage: ./guard\ntest: " + test + "\n\n-- old guard/guard.go --\n\tif n > Max {\n-- new --\n" + line + "\n"
}

// workIn makes a tree of git's and a catalogue, and returns the settings for them.
func workIn(t *testing.T, files, entries map[string]string) settings {
	t.Helper()
	s := settings{root: t.TempDir(), catalogue: t.TempDir(), parallel: 2, limit: time.Hour}
	for name, text := range files {
		write(t, filepath.Join(s.root, name), text)
	}
	for name, text := range entries {
		write(t, filepath.Join(s.catalogue, name+".txt"), text)
	}
	if out, err := exec.Command("git", "init", "-q", s.root).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	return s
}

func TestRun(t *testing.T) {
	s := workIn(t, fixture, map[string]string{
		"good":      seeded("TestAtTheLimit", "\tif n > Max+1 {"),
		"survivor":  seeded("TestBelow", "\tif n > Max+1 {"),
		"stale":     strings.Replace(seeded("TestBelow", ""), "if n > Max {", "if n >= Max {", 1),
		"malformed": seeded("TestBelow", "\tif n > {"),
		"endless":   strings.Replace(seeded("TestBelow", "\tfor n > 0 {\n\t}\n\tif n > Max {"), "\n\n--", "\nhang: 1s\n\n--", 1),
		"ends":      strings.Replace(seeded("TestBelow", "\tif n > 0 {"), "\n\n--", "\nhang: 1h\n\n--", 1),
	})
	write(t, filepath.Join(s.catalogue, "early.txt"), "Removed.\n\npackage: ./guard\ntest: TestBelow\n\n"+
		"-- old guard/guard.go --\n// Max is the limit.\n-- new --\nfunc init() { panic(1) }\n\n// Max is the limit.\n")
	var out bytes.Buffer
	if err := run(t.Context(), s, &out); !errors.Is(err, errUncaught) {
		t.Errorf("got %v, want %v", err, errUncaught)
	}
	for name, want := range map[string]verdict{
		"good": caughtIt, "survivor": survived, "stale": misapplied, "malformed": unbuilt,
		"early": misnamed, "endless": caughtIt, "ends": noHang,
	} {
		if !lineOf(out.String(), name, want) {
			t.Errorf("%s is not %q in\n%s", name, want, out.String())
		}
	}
	if !strings.Contains(out.String(), "mutants: 2 of 7 caught in ") {
		t.Errorf("the total is wrong in\n%s", out.String())
	}
	for name, text := range fixture {
		if b, err := os.ReadFile(filepath.Join(s.root, name)); err != nil || string(b) != text {
			t.Errorf("%s was changed: %q, %v", name, b, err)
		}
	}
}

// lineOf reports whether there is a line that begins with the verdict and the name.
func lineOf(output, name string, want verdict) bool {
	for line := range strings.Lines(output) {
		rest, ok := strings.CutPrefix(line, string(want))
		if ok && strings.HasPrefix(strings.TrimLeft(rest, " "), name+" ") {
			return true
		}
	}
	return false
}

func TestRunOfSome(t *testing.T) {
	s := workIn(t, fixture, map[string]string{
		"good":     seeded("TestAtTheLimit", "\tif n > Max+1 {"),
		"survivor": seeded("TestBelow", "\tif n > Max+1 {"),
	})
	s.names = []string{"good"}
	var out bytes.Buffer
	if err := run(t.Context(), s, &out); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	s.names, s.suite = nil, true
	out.Reset()
	if err := run(t.Context(), s, &out); !errors.Is(err, errUncaught) {
		t.Errorf("got %v, want %v", err, errUncaught)
	}
	if strings.Count(out.String(), "fail: TestAtTheLimit\n") != 2 {
		t.Errorf("-suite does not tell who would have caught it:\n%s", out.String())
	}
}

// Nothing is said of mutants where the named tests do not pass without them.
func TestRunChecksTheTreeFirst(t *testing.T) {
	for name, change := range map[string][2]string{
		"fails":       {"TestBelow", "if !Fits(11)"},
		"no test":     {"TestAbove", ""},
		"not built":   {"TestBelow", "if Fits("},
		"no packages": {"TestBelow", ""},
	} {
		files := map[string]string{"go.mod": fixture["go.mod"], "guard/guard.go": fixture["guard/guard.go"]}
		if name != "no packages" {
			files["guard/guard_test.go"] = fixture["guard/guard_test.go"]
		}
		if change[1] != "" {
			files["guard/guard_test.go"] = strings.Replace(files["guard/guard_test.go"], "if !Fits(1)", change[1], 1)
		}
		s := workIn(t, files, map[string]string{"good": seeded(change[0], "\tif n > Max+1 {")})
		var out bytes.Buffer
		if err := run(t.Context(), s, &out); err == nil || errors.Is(err, errUncaught) || out.Len() > 0 {
			t.Errorf("%s: got %v\n%s", name, err, out.String())
		}
	}
}

func TestRunInterrupted(t *testing.T) {
	s := workIn(t, fixture, map[string]string{"good": seeded("TestAtTheLimit", "\tif n > Max+1 {")})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, s, new(bytes.Buffer)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestVerdictOf(t *testing.T) {
	const passed, fell = "=== RUN   TestIt\n--- PASS: TestIt (0.00s)\n", "=== RUN   TestIt\n--- FAIL: TestIt (0.00s)\n"
	for _, test := range []struct {
		hang  time.Duration
		ended child
		want  verdict
	}{
		{0, child{output: fell, failed: true}, caughtIt},
		{0, child{output: "=== RUN   TestIt\npanic: boom\n", failed: true}, caughtIt},
		{0, child{output: passed}, survived},
		{0, child{output: passed, failed: true}, misnamed},
		{0, child{output: "=== RUN   TestIt\n", failed: true, hung: true}, hung},
		{1, child{output: "=== RUN   TestIt\n", failed: true, hung: true}, caughtIt},
		{1, child{output: passed}, survived},
		{1, child{output: fell, failed: true}, noHang},
		{1, child{failed: true, hung: true}, misnamed},
	} {
		e := entry{test: "TestIt", hang: test.hang}
		if got, _ := new(workshop).verdictOf(e, test.ended); got != test.want {
			t.Errorf("hang %v, %+v: got %s, want %s", test.hang, test.ended, got, test.want)
		}
	}
}
