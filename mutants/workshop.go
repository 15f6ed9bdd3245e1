package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// buildLimit bounds one build, from an empty cache on a busy machine.
const buildLimit = 5 * time.Minute

// workshop is where mutants are built: a copy of the tree, which stays as it is, and beside it for each
// mutant the files that it changes, which the go command is told to take instead (-overlay). So mutants
// share the build cache with each other and do not get into each other's way.
type workshop struct {
	settings
	dir string // temporary
}

func newWorkshop(ctx context.Context, s settings) (*workshop, error) {
	dir, err := os.MkdirTemp("", "serialkit-mutants-")
	if err != nil {
		return nil, fmt.Errorf("mutants: %w", err)
	}
	w := &workshop{settings: s, dir: dir}
	if err := copyTree(ctx, s.root, w.tree()); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// close removes the workshop.
func (w *workshop) close() { os.RemoveAll(w.dir) }

// tree returns the directory of the copy.
func (w *workshop) tree() string { return filepath.Join(w.dir, "tree") }

// bench returns a directory for the files of one build, of a name that no other has.
func (w *workshop) bench(name string) (string, error) {
	dir := filepath.Join(w.dir, "builds", name)
	return dir, os.MkdirAll(dir, 0o755)
}

// build builds the tests of pkg with the files that overlay has other texts for. It returns the binary, or
// what the compiler had to say.
func (w *workshop) build(ctx context.Context, bench, pkg string, race bool, overlay map[string]string) (binary, complaint string, err error) {
	binary = filepath.Join(bench, "test")
	args := []string{"test", "-c", "-o", binary, "-vet=off", "-trimpath", "-ldflags=-w", "-p=1"}
	if race {
		args = append(args, "-race")
	}
	if len(overlay) > 0 {
		file, err := w.writeOverlay(bench, overlay)
		if err != nil {
			return "", "", err
		}
		args = append(args, "-overlay="+file)
	}
	c, err := runChild(ctx, buildLimit, filepath.Join(w.tree(), pkg), "go", append(args, ".")...) // it may be a module of its own
	switch {
	case err != nil:
		return "", "", err
	case c.hung:
		return "", "the build took too long", nil
	case c.failed:
		return "", strings.TrimSpace(c.output), nil
	}
	return binary, "", nil
}

// writeOverlay writes the texts beside a build, and the file that tells the go command of them.
func (w *workshop) writeOverlay(bench string, texts map[string]string) (string, error) {
	replace := make(map[string]string)
	for name, text := range texts {
		file := filepath.Join(bench, fmt.Sprintf("%d.go", len(replace)))
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return "", err
		}
		replace[filepath.Join(w.tree(), filepath.FromSlash(name))] = file
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(bench, "overlay.json")
	return file, os.WriteFile(file, list, 0o644)
}

// test runs the tests of pkg that the pattern names, all if it is empty, for at most limit.
func (w *workshop) test(ctx context.Context, limit time.Duration, binary, pkg, pattern string) (child, error) {
	args := []string{"-test.v", "-test.timeout=0"}
	if pattern != "" {
		args = append(args, "-test.run=^("+pattern+")$")
	}
	return runChild(ctx, limit, filepath.Join(w.tree(), pkg), binary, args...)
}

// group is the entries whose tests are in one binary.
type group struct {
	pkg  string
	race bool
}

// checkUnmutated makes sure that the named tests pass as long as nothing is changed.
func (w *workshop) checkUnmutated(ctx context.Context, entries []entry, out io.Writer) error {
	tests := make(map[group][]string)
	for _, e := range entries {
		g := group{e.pkg, e.race}
		if !slices.Contains(tests[g], e.test) {
			tests[g] = append(tests[g], e.test)
		}
	}
	begin, count := time.Now(), 0
	for g, names := range tests {
		if err := w.checkGroup(ctx, g, names); err != nil {
			return err
		}
		count += len(names)
	}
	fmt.Fprintf(out, "unmutated: the %d named tests pass, %v\n", count, time.Since(begin).Round(time.Second))
	return nil
}

func (w *workshop) checkGroup(ctx context.Context, g group, names []string) error {
	bench, err := w.bench(fmt.Sprintf("unmutated-%s-%t", strings.ReplaceAll(g.pkg[2:], "/", "-"), g.race))
	if err != nil {
		return fmt.Errorf("mutants: %w", err)
	}
	defer os.RemoveAll(bench)
	binary, complaint, err := w.build(ctx, bench, g.pkg, g.race, nil)
	if err != nil {
		return fmt.Errorf("mutants: %w", err)
	}
	if complaint != "" {
		return fmt.Errorf("mutants: %s does not build unmutated:\n%s", g.pkg, complaint)
	}
	c, err := w.test(ctx, w.limit, binary, g.pkg, strings.Join(names, "|"))
	if err != nil {
		return fmt.Errorf("mutants: %w", err)
	}
	o := parseOutcomes(c.output)
	for _, name := range names {
		if !o.passed[name] && !o.failed[name] {
			return fmt.Errorf("mutants: %s has no test %s that is run", g.pkg, name)
		}
	}
	if c.failed {
		return fmt.Errorf("mutants: %s fails unmutated: %s\n%s", g.pkg, strings.Join(o.failures(), " "), tail(c.output))
	}
	return nil
}

// tail returns the end of what a failed child printed.
func tail(output string) string {
	const enough = 4 << 10
	if len(output) > enough {
		output = "...\n" + output[len(output)-enough:]
	}
	return strings.TrimSpace(output)
}
