package main

import "strings"

// mainFigures is the figure by which a measure is told in a word, and its unit.
var mainFigures = []struct {
	measure, figure, what string
	unit                  unit
}{
	{measureRoundTrip, "p50", "p50", microseconds},
	{measureThroughput, "rate", "tasks", tasksPerSecond},
	{measurePipelined, "rate", "tasks", tasksPerSecond},
	{measureUp, "rate", "bytes", mibPerSecond},
	{measureDown, "rate", "bytes", mibPerSecond},
	{measureIdle, "server resident", "server memory", kibibytes},
}

// glance writes one table of every scene: bare TCP's figure, and the others' ratios to it.
func (d *document) glance() {
	names := d.run.Plan.Peers
	d.printf("## At a glance\n\nBare TCP's figure, and the ratio of each peer to it: lower is better for round trips and\nmemory, higher for the rest.\n\n")
	d.printf("| |")
	for _, name := range names {
		d.printf(" %s |", emphasis(name))
	}
	d.printf("\n| --- |%s\n", strings.Repeat(" ---: |", len(names)))
	for _, m := range mainFigures {
		for _, s := range scenes(d.run.Records, m.measure) {
			d.printf("| %s: %s |", capital(s.String()), m.what)
			d.glanceCells(names, summarize(d.run.Records, s, m.figure), m.unit)
			d.printf("\n")
		}
	}
	d.printf("\n")
}

// glanceCells writes the cells of one scene.
func (d *document) glanceCells(names []string, sums []summary, u unit) {
	for _, name := range names {
		cell := "–"
		for _, s := range sums {
			switch {
			case s.Peer != name:
			case name == bareName:
				cell = u.show(s.Value.Median) + " " + u.name
			case s.Ratio.N > 0:
				cell = digits(s.Ratio.Median)
			}
		}
		if name == serialkitName {
			cell = "**" + cell + "**"
		}
		d.printf(" %s |", cell)
	}
}
