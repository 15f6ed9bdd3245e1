package main

import (
	"io"
	"os"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

// terminal is what is known of where a command writes.
type terminal struct {
	is    bool
	width int
	color bool
}

// defaultWidth is that of a terminal that does not say.
const defaultWidth = 80

// terminalOf looks whether w is a terminal. Colours are off if NO_COLOR is set to anything, and on a terminal called dumb.
func terminalOf(w io.Writer) terminal {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return terminal{}
	}
	t := terminal{is: true, width: defaultWidth, color: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		t.width = width
	}
	return t
}

// fit makes s exactly so many columns wide, with blanks or, where something is missing, "…".
func fit(s string, width int) string {
	if width <= 0 {
		return ""
	}
	if runewidth.StringWidth(s) > width {
		s = runewidth.Truncate(s, width, "…")
	}
	return runewidth.FillRight(s, width)
}

// cut makes s at most so many columns wide.
func cut(s string, width int) string {
	return runewidth.Truncate(s, max(1, width), "…")
}

// columns is how many columns s takes.
func columns(s string) int { return runewidth.StringWidth(s) }
