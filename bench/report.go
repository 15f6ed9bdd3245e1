package main

import (
	"fmt"
	"io"
	"time"
)

// writeReport writes the document. Plots are linked by their names in the folder plots.
func writeReport(w io.Writer, r *run, plots []plot) error {
	d := &document{w: w, run: r, plots: plots}
	d.head()
	d.glance()
	d.roundTrips()
	d.throughput()
	d.pipelined()
	d.streams()
	d.idle()
	d.allocations()
	d.cpu()
	return d.err
}

// document is a report that is being written.
type document struct {
	w     io.Writer
	run   *run
	plots []plot
	err   error // the first
}

func (d *document) printf(form string, args ...any) {
	if d.err == nil {
		_, d.err = fmt.Fprintf(d.w, form, args...)
	}
}

// head says what was measured, how and on what.
func (d *document) head() {
	m := d.run.Machine
	d.printf("# Performance\n\nThis page is written by `make bench`; the figures behind it are in\n")
	d.printf("[performance.json](performance.json). Do not edit it.\n\n")
	d.printf("| | |\n| --- | --- |\n| Date | %s |\n| Machine | %s, %d cores |\n| Kernel | %s |\n| Go | %s |\n",
		d.run.Started.UTC().Format("2 January 2006, 15:04 MST"), m.CPU, m.Cores, m.Kernel, m.Go)
	for _, module := range m.Modules {
		d.printf("| Peer | %s |\n", module)
	}
	if m.Redis != "" {
		d.printf("| Peer | %s |\n", m.Redis)
	}
	d.printf("| Command | `%s` |\n| Took | %v |\n| Load average | %s before, %s after |\n\n",
		d.run.Command, d.run.Took.Round(time.Second), d.run.LoadThen, d.run.LoadNow)
	d.method()
	d.printf("## Peers\n\n| | |\n| --- | --- |\n")
	for _, l := range peers {
		if contains(d.run.Plan.Peers, l.name) {
			d.printf("| %s | %s |\n", l.name, l.about)
		}
	}
	d.notes()
}

func (d *document) method() {
	d.printf(`Server and client are two processes of one binary, and talk over loopback. Every peer echoes the same
payload, and every client compares what comes back. In each of %d rounds bare TCP and Serialkit are measured
again beside each other peer. A cell is the median of the rounds, and in brackets the lowest and the highest.
**×** is the ratio to the bare TCP of the same moment: its median, lowest and highest. No TLS, no
compression, every peer with its defaults; only yamux's pings are switched off.

`, d.run.Plan.Rounds)
}

func (d *document) notes() {
	if redisPath() == "" && !contains(d.run.Plan.Peers, redisName) {
		d.printf("\nRedis is left out: there was no redis-server on the PATH.\n")
	}
	if len(d.run.Notes) > 0 {
		d.printf("\nNot measured, or not as planned:\n\n")
	}
	for _, n := range d.run.Notes {
		d.printf("- %s\n", n)
	}
	d.printf("\n")
}

// section begins a section, unless there is nothing in it.
func (d *document) section(title, text string, measure string) bool {
	if len(scenes(d.run.Records, measure)) == 0 {
		return false
	}
	d.printf("## %s\n\n%s\n\n", title, text)
	for _, p := range d.plots {
		if p.measure == measure {
			d.printf("![%s](performance/%s)\n\n", p.title, p.file)
		}
	}
	return true
}
