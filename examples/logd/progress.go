package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/serialkit/serialkit/examples/logd/ship"
)

// progressEvery is how often the line on the terminal changes.
const progressEvery = 200 * time.Millisecond

// progress shows on a terminal how far shipping is, in one line that is written anew. Elsewhere it shows nothing.
type progress struct {
	w        io.Writer
	terminal terminal
	begun    time.Time
	paths    []string

	mu      sync.Mutex // guards what follows, and writing to w
	reports []ship.Report
	shown   time.Time
}

func newProgress(w io.Writer, paths []string) *progress {
	return &progress{w: w, terminal: terminalOf(w), begun: time.Now(), paths: paths, reports: make([]ship.Report, len(paths))}
}

// update notes what is known of the file with that index.
func (p *progress) update(i int, r ship.Report) {
	if !p.terminal.is {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reports[i] = r
	now := time.Now()
	if now.Sub(p.shown) < progressEvery {
		return
	}
	p.shown = now
	fmt.Fprintf(p.w, "\r\x1b[K%s", cut(progressLine(p.paths[i], p.reports, now.Sub(p.begun)), p.terminal.width-1))
}

// say writes a line about a file, above the one of the progress.
func (p *progress) say(path, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal.is {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	fmt.Fprintf(p.w, "logd: %s: %s\n", escape(path), escape(text))
}

// end removes the line.
func (p *progress) end() {
	if p.terminal.is {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// progressLine is the line: where, how much of all files, how fast, and when it will be done if that can be told.
func progressLine(path string, reports []ship.Report, taken time.Duration) string {
	var lines, bytes, left int64
	for _, r := range reports {
		lines += r.Lines
		bytes += r.Bytes
		left += max(0, r.Size-r.Begin-r.Bytes)
	}
	seconds := max(taken.Seconds(), 1e-3)
	s := fmt.Sprintf("%s  %d lines  %s", escape(path), lines, bytesText(bytes))
	if all := bytes + left; all > 0 && left > 0 {
		s += fmt.Sprintf(" of %s (%d%%)", bytesText(all), bytes*100/all)
	}
	s += fmt.Sprintf("  %.0f lines/s  %s/s", float64(lines)/seconds, bytesText(int64(float64(bytes)/seconds)))
	if left > 0 && bytes > 0 {
		eta := time.Duration(float64(left) / float64(bytes) * float64(taken))
		s += "  " + eta.Round(time.Second).String() + " left"
	}
	return s
}

// bytesText writes a number of bytes with three digits.
func bytesText(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	v := float64(n)
	unit := -1
	for v >= 999.5 && unit < 5 { // What would be 1e+03 of a unit is 1 of the next.
		v /= 1024
		unit++
	}
	return fmt.Sprintf("%.3g %ciB", v, "KMGTPE"[unit])
}

// summaryText is the summary of one file for people.
func summaryText(r *shipped) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d lines, %s", escape(r.Path), r.Lines, bytesText(r.Bytes))
	if r.Begin > 0 {
		fmt.Fprintf(&b, " behind the %s of earlier runs", bytesText(r.Begin))
	}
	fmt.Fprintf(&b, ": %d acknowledged", r.Acknowledged)
	for _, part := range []struct {
		n    int64
		what string
	}{
		{r.Repeated, "of them known already"}, {r.Blank, "blank"}, {r.RefusedTotal(), "refused"}, {r.Cut, "cut"},
		{r.Replaced, "with invalid UTF-8"}, {r.Rotations, "rotations"}, {r.Truncations, "truncations"},
	} {
		if part.n > 0 {
			fmt.Fprintf(&b, ", %d %s", part.n, part.what)
		}
	}
	b.WriteString("\n")
	for _, reason := range slices.Sorted(maps.Keys(r.Refused)) {
		fmt.Fprintf(&b, "  refused %d: %s\n", r.Refused[reason], escape(reason))
	}
	return b.String()
}
