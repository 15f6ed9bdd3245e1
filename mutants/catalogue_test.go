package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// minEntries is how many seeded bugs there are to be at the least.
const minEntries = 40

// guarded are the packages whose guards are removed.
var guarded = []string{"./binaryutil", "./serial", "./internal/transport", "./serialserver", "./serialclient", "./serialdaemon", "./serialtest"}

// Each entry applies to the tree as it is, gives a program, and names a test that there is. So a change that
// makes one stale is found without running them.
func TestCatalogueApplies(t *testing.T) {
	entries, err := loadCatalogue("catalogue")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) < minEntries {
		t.Errorf("%d entries, not %d", len(entries), minEntries)
	}
	seen := make(map[string]int)
	for _, e := range entries {
		seen[e.pkg]++
		texts, err := e.mutated("..")
		if err != nil {
			t.Errorf("%s: %v", e.name, err)
		}
		for file, text := range texts {
			if _, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution); err != nil {
				t.Errorf("%s: %v", e.name, err)
			}
		}
		if !hasTest(t, filepath.Join("..", e.pkg), e.test) {
			t.Errorf("%s: %s has no test %s", e.name, e.pkg, e.test)
		}
	}
	for _, pkg := range guarded {
		if seen[pkg] == 0 {
			t.Errorf("no guard of %s is removed", pkg)
		}
		delete(seen, pkg)
	}
	if len(seen) > 0 {
		t.Errorf("packages without a claim to be guarded: %v", seen)
	}
}

// hasTest reports whether a test file of a package declares the test.
func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(name) + `\(`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if declared.Match(text) {
			return true
		}
	}
	return false
}
