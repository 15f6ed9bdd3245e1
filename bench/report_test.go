package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// someRun is a run with a record of each measure.
func someRun() *run {
	p := fullPlan()
	p.Peers = []string{bareName, serialkitName, "drpc"}
	r := &run{Machine: machine{CPU: "a CPU", Cores: 2, Kernel: "Linux 6", Go: "go1.26"}, Command: "make bench",
		Started: time.Date(2026, 11, 21, 7, 0, 0, 0, time.UTC), Took: time.Minute, Plan: p, Notes: []string{"a note"}}
	for round := range 2 {
		for i, peer := range p.Peers {
			f := float64((i+1)*1000 + round)
			v := values{"p50": f, "p99": 2 * f, "p99.9": 3 * f, "rate": f * 1000, "server resident": f, "client resident": f,
				"server idle cpu": 0, "client idle cpu": 1, "server cpu": f, "client cpu": f, "server mallocs": 3, "server bytes": 312}
			for _, s := range []scene{
				{Measure: measureRoundTrip, Size: 64},
				{Measure: measureThroughput, Size: 64, Conns: 64}, {Measure: measureThroughput, Size: 64, Conns: 5000},
				{Measure: measurePipelined, Size: 64, Window: 16}, {Measure: measurePipelined, Size: 64, Window: 256},
				{Measure: measureUp}, {Measure: measureDown},
				{Measure: measureIdle, Conns: 9000, After: "a small task"}, {Measure: measureIdle, Conns: 9000, After: "a deep stack"},
			} {
				r.Records = append(r.Records, record{scene: s, Peer: peer, Round: round, Values: v})
			}
		}
	}
	return r
}

func documentOf(t *testing.T, r *run) string {
	var out bytes.Buffer
	require.NoError(t, writeReport(&out, r, plots(r)))
	return out.String()
}

func TestReportHasFiguresAndRatios(t *testing.T) {
	doc := documentOf(t, someRun())
	require.Contains(t, doc, "| **Serialkit** | **2** (2–2) | **2** (2–2) |")
	require.Contains(t, doc, "| drpc | **3** (3–3) | **3** (3–3) |")
	require.Contains(t, doc, "| Round trip, 64 B: p50 | 1 µs | **2** | 3 |")
	require.Contains(t, doc, "| Idle, 9,000 connections, after a deep stack: server memory | 0.98 KiB | **2** | 3 |")
	require.Contains(t, doc, "a CPU, 2 cores")
	require.Contains(t, doc, "`make bench`")
	require.Contains(t, doc, "- a note")
	for _, title := range []string{"Round trip", "Throughput", "Pipelined", "Stream up", "Stream down",
		"Idle connections", "Allocations per task", "CPU time per task"} {
		require.Contains(t, doc, "## "+title+"\n")
	}
}

func TestReportTablesAreRectangular(t *testing.T) {
	columns := 0
	for line := range strings.Lines(documentOf(t, someRun())) {
		if !strings.HasPrefix(line, "|") {
			columns = 0
			continue
		}
		if columns == 0 {
			columns = strings.Count(line, "|")
		}
		require.Equal(t, columns, strings.Count(line, "|"), line)
	}
}

func TestReportLeavesOutWhatWasNotMeasured(t *testing.T) {
	r := someRun()
	r.Records = r.Records[:1]
	doc := documentOf(t, r)
	require.Contains(t, doc, "## Round trip")
	require.NotContains(t, doc, "## Throughput")
	require.NotContains(t, doc, "## Idle")
}

func TestPlotsAreWellFormedAndLinked(t *testing.T) {
	r := someRun()
	doc := documentOf(t, r)
	files := make(map[string]bool)
	for _, p := range plots(r) {
		require.False(t, files[p.file], "two plots of the name %s", p.file)
		files[p.file] = true
		require.Contains(t, doc, "(performance/"+p.file+")")
		require.Contains(t, p.svg, ">Serialkit")
		d := xml.NewDecoder(strings.NewReader(p.svg))
		for {
			_, err := d.Token()
			if err == io.EOF {
				break
			}
			require.NoError(t, err, p.file)
		}
	}
	require.Len(t, files, 7)
}

func TestEveryPeerHasAColour(t *testing.T) {
	seen := make(map[string]bool)
	for _, l := range peers {
		require.NotEmpty(t, colours[l.name], l.name)
		require.False(t, seen[colours[l.name]], "the colour of %s", l.name)
		seen[colours[l.name]] = true
	}
}

func TestTicks(t *testing.T) {
	for most, want := range map[float64][]float64{
		0: {0, 0.2, 0.4, 0.6, 0.8, 1}, 5: {0, 1, 2, 3, 4, 5}, 7: {0, 2, 4, 6, 8}, 55: {0, 10, 20, 30, 40, 50, 60},
	} {
		require.InDeltaSlice(t, want, ticks(most), 1e-9)
	}
}

func TestReportFromItsJSON(t *testing.T) {
	folder, r := t.TempDir(), someRun()
	require.NoError(t, writeAll(r, folder))
	before, err := os.ReadFile(filepath.Join(folder, "performance.md"))
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(folder, "performance.md")))

	require.NoError(t, reportCommand([]string{"-out", folder}))
	after, err := os.ReadFile(filepath.Join(folder, "performance.md"))
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))

	data, err := os.ReadFile(filepath.Join(folder, "performance.json"))
	require.NoError(t, err)
	var again run
	require.NoError(t, json.Unmarshal(data, &again))
	require.Equal(t, r, &again)
}
