package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/serialkit/serialkit/serialserver"
)

// shown is how many files the table shows, the largest first.
const shown = 10

// account prints what happens.
type account struct{ out io.Writer }

// title begins a step.
func (a account) title(s string) { fmt.Fprintf(a.out, "\n%s\n", s) }

// line prints a line of a step.
func (a account) line(format string, args ...any) { fmt.Fprintf(a.out, "  "+format+"\n", args...) }

// table prints the sums of the files.
func (a account) table(rows []row) {
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.size, a.size) })
	n := min(shown, len(rows))
	more := fmt.Sprintf("%d more", len(rows)-n)
	width := len(more)
	for _, r := range rows[:n] {
		width = max(width, len(r.name))
	}
	line := func(name, size, crc, words string) { a.line("%-*s  %12s  %8s  %10s", width, name, size, crc, words) }
	line("FILE", "BYTES", "CRC-32C", "WORDS")
	for _, r := range rows[:n] {
		line(r.name, grouped(r.size), fmt.Sprintf("%08x", r.crc), grouped(r.words))
	}
	if n < len(rows) {
		size, words := add(rows[n:])
		line(more, grouped(size), "", grouped(words))
	}
	size, words := add(rows)
	line("total", grouped(size), "", grouped(words))
}

// row is a file's row of the table.
type row struct {
	name string
	sums
}

func add(rows []row) (size, words uint64) {
	for _, r := range rows {
		size, words = size+r.size, words+r.words
	}
	return size, words
}

// statistics prints what the daemon has counted.
func (a account) statistics(metrics *serialserver.MemoryMetrics, server *serialserver.Server) {
	a.line("%-8s %10s %10s %7s %8s %10s", "TASK", "RUN", "OK", "ERROR", "DROPPED", "MEDIAN")
	for _, code := range metrics.TaskCodes() {
		_, name, _ := server.TaskFunc(code)
		s := metrics.Tasks(code)
		median := short(metrics.Latency(code, 0.5))
		a.line("%-8s %10s %10s %7d %8d %10v", name, grouped(s.Started), grouped(s.OK), s.Error, s.Dropped, median)
	}
	closed := metrics.Connections().Closed
	for _, reason := range slices.Sorted(maps.Keys(closed)) {
		a.line("connections ended: %d (%v)", closed[reason], reason)
	}
}

// grouped writes n with a comma after each three digits.
func grouped[T int | uint64](n T) string {
	digits := strconv.FormatUint(uint64(n), 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// short rounds d to three digits.
func short(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
