package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// runCommand measures and writes the report.
func runCommand(args []string) error {
	fs := flag.NewFlagSet("run", flag.ExitOnError)
	quick := fs.Bool("quick", false, "a subset, in about two minutes")
	out := fs.String("out", "docs", "the folder for performance.md, performance.json and performance/*.svg")
	only := fs.String("measures", "", "a subset of abcde: round trips, throughput, pipelined, streams, idle")
	names := fs.String("peers", "", "some peers only, separated by semicolons; bare TCP is always there")
	limit := fs.Duration("limit", 0, "what has not begun by then is left out; 0: 20 minutes, quick 4")
	command := fs.String("command", "", "what the report names as its command")
	fs.Parse(args)

	p := fullPlan()
	if *quick {
		p = quickPlan()
	}
	if *only != "" {
		p.Measures = strings.Split(*only, "")
	}
	if *names != "" {
		p.Peers = choose(p.Peers, bareName+";"+*names)
	}
	if *limit > 0 {
		p.Limit = *limit
	}
	if *command == "" {
		*command = "bench run " + strings.Join(args, " ")
	}
	r, err := measure(p, *command)
	if err != nil {
		return err
	}
	return writeAll(r, *out)
}

// measure carries out a plan.
func measure(p plan, command string) (*run, error) {
	core, err := lastCore()
	if err != nil {
		return nil, err
	}
	r := &run{Machine: thisMachine(), Command: command, Started: time.Now(), Plan: p, LoadThen: loadAverage()}
	b := &bench{run: r, plan: p, core: core, start: time.Now(), log: os.Stderr}
	if err := b.all(); err != nil {
		return nil, err
	}
	r.Took, r.LoadNow = time.Since(b.start), loadAverage()
	b.progress("done")
	return r, nil
}

// writeAll writes the figures, the pictures and the document into a folder.
func writeAll(r *run, folder string) error {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	pictures := filepath.Join(folder, "performance")
	if err := os.MkdirAll(pictures, 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "performance.json"), data, 0o666); err != nil {
		return err
	}
	return writeDocument(r, folder)
}

// writeDocument writes the pictures and the document.
func writeDocument(r *run, folder string) error {
	all := plots(r)
	for _, p := range all {
		if err := os.WriteFile(filepath.Join(folder, "performance", p.file), []byte(p.svg), 0o666); err != nil {
			return err
		}
	}
	f, err := os.Create(filepath.Join(folder, "performance.md"))
	if err != nil {
		return err
	}
	err = writeReport(f, r, all)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// reportCommand writes the document again, from the figures of an earlier run.
func reportCommand(args []string) error {
	fs := flag.NewFlagSet("report", flag.ExitOnError)
	folder := fs.String("out", "docs", "the folder with performance.json")
	fs.Parse(args)
	data, err := os.ReadFile(filepath.Join(*folder, "performance.json"))
	if err != nil {
		return err
	}
	var r run
	if err := json.Unmarshal(data, &r); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(*folder, "performance"), 0o777); err != nil {
		return err
	}
	return writeDocument(&r, *folder)
}
