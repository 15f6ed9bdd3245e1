package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// point is a figure at a place of the x axis.
type point struct {
	x int
	y spread
}

// lineChart is a curve for each peer. The places of the x axis are evenly apart.
type lineChart struct {
	title string
	x     string // what the x axis is
	y     unit
	xs    []int
	names []string
	lines map[string][]point
}

// add adds a point, to the right of the peer's points so far.
func (c *lineChart) add(peer string, p point) {
	if c.lines == nil {
		c.lines = make(map[string][]point)
	}
	if c.lines[peer] == nil {
		c.names = append(c.names, peer)
	}
	if !slices.Contains(c.xs, p.x) {
		c.xs = append(c.xs, p.x)
	}
	c.lines[peer] = append(c.lines[peer], p)
}

// The measures of a line chart, in pixels.
const (
	lineLeft   = 80.0
	lineRight  = 230.0 // room for the names
	lineTop    = 66.0
	lineBottom = 420.0
)

// frame turns figures into places of a picture. Its y axis is logarithmic: peers differ by factors.
type frame struct {
	c      *lineChart
	decade int // the power of ten at the bottom
	height int // decades
}

func (f frame) x(x int) float64 {
	width := chartWidth - lineLeft - lineRight
	i := slices.Index(f.c.xs, x)
	return lineLeft + width*(float64(i)+0.5)/float64(len(f.c.xs))
}

func (f frame) y(v float64) float64 {
	share := (math.Log10(max(v, 1e-9)) - float64(f.decade)) / float64(f.height)
	return lineBottom - (lineBottom-lineTop)*min(max(share, 0), 1)
}

// frame returns whole decades around all medians.
func (c *lineChart) frame() frame {
	low, high := math.Inf(1), math.Inf(-1)
	for _, points := range c.lines {
		for _, p := range points {
			v := math.Log10(max(p.y.Median/c.y.scale, 1e-9))
			low, high = min(low, v), max(high, v)
		}
	}
	f := frame{c: c, decade: int(math.Floor(low))}
	f.height = max(int(math.Ceil(high))-f.decade, 1)
	return f
}

func (c *lineChart) draw() string {
	if len(c.xs) == 0 {
		return ""
	}
	f := c.frame()
	d := &drawing{width: chartWidth, height: lineBottom + axisRoom}
	c.axes(d, f)
	for _, name := range c.names {
		c.curve(d, f, name)
	}
	c.legend(d, f)
	return d.String()
}

func (c *lineChart) axes(d *drawing, f frame) {
	d.text(16, 28, "start", ink, 17, true, c.title)
	d.text(16, 50, "start", faint, 13, false, c.y.name+", logarithmic")
	for i := range f.height + 1 {
		decade := math.Pow(10, float64(f.decade+i))
		for _, step := range []float64{1, 2, 5} {
			if v := decade * step; i < f.height || step == 1 {
				d.line(lineLeft, f.y(v), chartWidth-lineRight, f.y(v), grid, 1)
				d.text(lineLeft-8, f.y(v)+4, "end", faint, 12, false, digits(v))
			}
		}
	}
	for _, x := range c.xs {
		d.text(f.x(x), lineBottom+18, "middle", faint, 12, false, thousands(strconv.Itoa(x)))
	}
	d.text((lineLeft+chartWidth-lineRight)/2, lineBottom+38, "middle", faint, 13, false, c.x)
}

// curve draws a peer's medians with their spread.
func (c *lineChart) curve(d *drawing, f frame, name string) {
	var path []string
	width := 2.0
	if name == serialkitName {
		width = 3.5
	}
	for _, p := range c.lines[name] {
		x, y := f.x(p.x), f.y(p.y.Median/c.y.scale)
		path = append(path, fmt.Sprintf("%.1f,%.1f", x, y))
		d.line(x, f.y(p.y.Min/c.y.scale), x, f.y(p.y.Max/c.y.scale), colours[name], 1)
		d.printf(`<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>`, x, y, colours[name])
	}
	d.printf(`<polyline points="%s" fill="none" stroke="%s" stroke-width="%.1f"/>`,
		strings.Join(path, " "), colours[name], width)
}

// legend writes the names beside the ends of the curves, highest first, no two over each other.
func (c *lineChart) legend(d *drawing, f frame) {
	names := slices.Clone(c.names)
	end := func(name string) point { return c.lines[name][len(c.lines[name])-1] }
	slices.SortStableFunc(names, func(a, b string) int {
		switch {
		case end(a).y.Median > end(b).y.Median:
			return -1
		case end(a).y.Median < end(b).y.Median:
			return 1
		}
		return 0
	})
	const apart = 17.0
	lowest := lineBottom - apart*float64(len(names)-1)
	previous := lineTop - apart
	for i, name := range names {
		p := end(name)
		y := max(f.y(p.y.Median/c.y.scale), previous+apart)
		y = min(y, lowest+apart*float64(i))
		previous = y
		x := chartWidth - lineRight + 12
		d.line(f.x(p.x)+6, f.y(p.y.Median/c.y.scale), x-3, y, grid, 1)
		d.text(x, y+4, "start", colours[name], 13, name == serialkitName, name+"  "+c.y.show(p.y.Median))
	}
}
