package main

import (
	"fmt"
	"strconv"
)

// plot is a picture of a measure.
type plot struct {
	measure string
	title   string
	file    string
	svg     string
}

// plots draws everything that was measured.
func plots(r *run) []plot {
	var all []plot
	for _, s := range scenes(r.Records, measureRoundTrip) {
		all = append(all, bars(r, s, "p50", "p50", microseconds))
	}
	for _, measure := range []string{measureThroughput, measurePipelined} {
		for _, size := range r.Plan.Sizes {
			if p, ok := curves(r, measure, size); ok {
				all = append(all, p)
			}
		}
	}
	for _, measure := range []string{measureUp, measureDown} {
		for _, s := range scenes(r.Records, measure) {
			all = append(all, bars(r, s, "", "rate", mibPerSecond))
		}
	}
	for _, s := range scenes(r.Records, measureIdle) {
		all = append(all, bars(r, s, "server memory", "server resident", kibibytes))
	}
	return all
}

// bars draws a figure of a scene, a bar for each peer.
func bars(r *run, s scene, what, figure string, u unit) plot {
	title := capital(s.String())
	if what != "" {
		title += ": " + what
	}
	sums := summarize(r.Records, s, figure)
	return plot{measure: s.Measure, title: title, file: fileName(s), svg: barChart(title, u, sums)}
}

// curves draws the rate of each peer over the connections, or over the window.
func curves(r *run, measure string, size int) (plot, bool) {
	c := lineChart{title: capital(measure) + ", " + bytesOf(size), y: tasksPerSecond, x: "connections"}
	if measure == measurePipelined {
		c.x = "window (tasks under way)"
	}
	for _, s := range scenes(r.Records, measure) {
		if s.Size != size {
			continue
		}
		for _, sum := range summarize(r.Records, s, "rate") {
			c.add(sum.Peer, point{x: s.Conns + s.Window, y: sum.Value})
		}
	}
	file := fmt.Sprintf("%s-%d.svg", measure, size)
	return plot{measure: measure, title: c.title, file: file, svg: c.draw()}, len(c.xs) > 0
}

// fileName returns a name for the picture of a scene.
func fileName(s scene) string {
	name := ""
	for _, c := range s.Measure {
		if c == ' ' {
			c = '-'
		}
		name += string(c)
	}
	if s.Size > 0 {
		name += "-" + strconv.Itoa(s.Size)
	}
	if s.After == "a deep stack" {
		name += "-deep"
	}
	return name + ".svg"
}
