package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// drawing is an SVG that is being drawn.
type drawing struct {
	body          strings.Builder
	width, height float64
}

const (
	ink   = "#1f2328"
	faint = "#59636e"
	grid  = "#d9dee3"
)

// colours are the peers' colours, the same in every picture.
var colours = map[string]string{
	bareName:          "#59636e",
	serialkitName:     "#0b5fd6",
	bytesName:         "#6ea8fe",
	"net/rpc":         "#1b7f3b",
	"gRPC-Go":         "#c2410c",
	"gRPC-Go, stream": "#f59e0b",
	"drpc":            "#7c3aed",
	"ttrpc":           "#be185d",
	"yamux":           "#0e7490",
	redisName:         "#b91c1c",
}

func (d *drawing) printf(form string, args ...any) { fmt.Fprintf(&d.body, form+"\n", args...) }

// text writes a line. The anchor is start, middle or end.
func (d *drawing) text(x, y float64, anchor, colour string, size int, bold bool, s string) {
	weight := "normal"
	if bold {
		weight = "bold"
	}
	d.printf(`<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s" font-size="%d" font-weight="%s">%s</text>`,
		x, y, anchor, colour, size, weight, html.EscapeString(s))
}

func (d *drawing) line(x1, y1, x2, y2 float64, colour string, width float64) {
	d.printf(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%.1f"/>`,
		x1, y1, x2, y2, colour, width)
}

// String returns the whole picture, on white so that it can be read on any page.
func (d *drawing) String() string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" font-family="Helvetica, Arial, sans-serif">
<rect width="100%%" height="100%%" fill="#ffffff"/>
%s</svg>
`, d.width, d.height, d.width, d.height, d.body.String())
}

// ticks returns round values from 0 to at least most, about five steps of them.
func ticks(most float64) []float64 {
	if most <= 0 {
		most = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(most/5)))
	for _, f := range []float64{1, 2, 5, 10} {
		if most/(step*f) <= 6 {
			step *= f
			break
		}
	}
	values := []float64{0}
	for v := step; values[len(values)-1] < most; v += step {
		values = append(values, v)
	}
	return values
}
