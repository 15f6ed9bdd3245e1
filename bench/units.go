package main

import (
	"fmt"
	"strconv"
	"strings"
)

// unit is how a figure is shown.
type unit struct {
	name  string  // as in the heading of a table and at an axis
	scale float64 // what is shown is the figure divided by it
}

var (
	microseconds   = unit{"µs", 1e3}
	tasksPerSecond = unit{"thousand tasks/s", 1e3}
	mibPerSecond   = unit{"MiB/s", 1 << 20}
	kibibytes      = unit{"KiB", 1 << 10}
	bytesUnit      = unit{"B", 1}
	count          = unit{"", 1}
	nsPerSecond    = unit{"ns per second", 1}
)

// show returns a figure in the unit, without the unit's name, to three digits.
func (u unit) show(figure float64) string { return digits(figure / u.scale) }

// digits returns f to three digits, and all those before the point.
func digits(f float64) string {
	switch abs := max(f, -f); {
	case abs < 0.005:
		return "0"
	case abs < 10:
		return trimZeros(strconv.FormatFloat(f, 'f', 2, 64))
	case abs < 100:
		return trimZeros(strconv.FormatFloat(f, 'f', 1, 64))
	default:
		return thousands(strconv.FormatFloat(f, 'f', 0, 64))
	}
}

func trimZeros(s string) string { return strings.TrimRight(strings.TrimRight(s, "0"), ".") }

// thousands puts commas into a whole number.
func thousands(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// bytesOf returns a payload's size: "64 B", "4 KiB".
func bytesOf(n int) string {
	if n >= 1<<10 && n%(1<<10) == 0 {
		return strconv.Itoa(n>>10) + " KiB"
	}
	return strconv.Itoa(n) + " B"
}

// String returns the scene for people: "throughput, 64 B, 1,000 connections".
func (s scene) String() string {
	parts := []string{s.Measure}
	if s.Size > 0 {
		parts = append(parts, bytesOf(s.Size))
	}
	if s.Conns > 0 {
		parts = append(parts, thousands(strconv.Itoa(s.Conns))+" connections")
	}
	if s.Window > 0 {
		parts = append(parts, fmt.Sprintf("window %d", s.Window))
	}
	if s.After != "" {
		parts = append(parts, "after "+s.After)
	}
	return strings.Join(parts, ", ")
}
