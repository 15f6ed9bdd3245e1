package main

import (
	"slices"
	"strings"
)

// outcomes is what the output of a test binary, run with -test.v, says of its tests.
type outcomes struct {
	passed map[string]bool
	failed map[string]bool // also those that were running when the binary died
}

// parseOutcomes reads the output of a test binary. Subtests count as their test.
func parseOutcomes(output string) outcomes {
	o := outcomes{passed: make(map[string]bool), failed: make(map[string]bool)}
	begun := make(map[string]bool)
	for line := range strings.Lines(output) {
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "=== RUN ") && len(fields) == 3:
			if !strings.Contains(fields[2], "/") {
				begun[fields[2]] = true
			}
		case strings.HasPrefix(line, "--- PASS: "):
			o.passed[fields[2]] = true
		case strings.HasPrefix(line, "--- FAIL: "):
			o.failed[fields[2]] = true
		case strings.HasPrefix(line, "--- SKIP: "):
			delete(begun, fields[2])
		}
	}
	for name := range begun {
		if !o.passed[name] {
			o.failed[name] = true
		}
	}
	return o
}

// failures returns the names of the failed tests, sorted.
func (o outcomes) failures() []string {
	var names []string
	for name := range o.failed {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
