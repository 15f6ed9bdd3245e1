package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/ship"
)

// shipFlags are those of logd ship.
type shipFlags struct {
	remote
	o       ship.Options
	state   string
	restart bool
	zone    string
	json    bool
}

// cmdShip sends files to a collector.
func cmdShip(ctx context.Context, args []string, std stdio) int {
	var f shipFlags
	fs := newFlags("ship", "FILE...", "Sends the lines of files, each exactly once, and goes on where it stopped. - is standard input.",
		"  logd ship /var/log/dpkg.log\n  logd ship -follow -service api /var/log/api.json\n  journalctl -o json | logd ship -service journal -\n", askingCodes)
	f.register(fs)
	fs.BoolVar(&f.o.Follow, "follow", false, "go on at the end, and when the file is rotated, until INT or TERM")
	fs.StringVar(&f.o.Service, "service", "", "`service` of all records; default: what the line says, or the file's name")
	fs.StringVar(&f.o.Host, "host", "", "`host` of all records; default: what the line says, or this machine")
	fs.IntVar(&f.o.MaxLine, "max-line", 0, "`bytes` that are kept of a line (default 131072)")
	fs.StringVar(&f.zone, "zone", "Local", "`zone` of time stamps that have none, such as Europe/Berlin")
	fs.StringVar(&f.state, "state", "", "`directory` for the positions; default: logd/ship in the user's state directory")
	fs.BoolVar(&f.restart, "restart", false, "forget the positions: send the files from their beginning")
	fs.DurationVar(&f.o.Patience, "patience", 0, "give up after this time without success; default 1m, with -follow never")
	fs.BoolVar(&f.json, "json", false, "write the summary as JSON on a terminal too")
	if exit, ok := parse(fs, args, std); !ok {
		return exit
	}
	if fs.NArg() == 0 {
		return misused(fs, std.err, fmt.Errorf("%w: no file is named", errUsage))
	}
	if err := f.complete(); err != nil {
		return fail(std.err, err)
	}
	ctx, cancel := interruptible(ctx)
	defer cancel()
	return f.run(ctx, fs.Args(), std)
}

func (f *shipFlags) complete() (err error) {
	f.o.ForceService, f.o.ForceHost = f.o.Service != "", f.o.Host != ""
	if f.o.Host == "" {
		f.o.Host, _ = os.Hostname() // Without a name records have no host.
	}
	if f.o.Follow && f.o.Patience == 0 {
		f.o.Patience = -1
	}
	if len(f.o.Service) > logwire.MaxService || len(f.o.Host) > logwire.MaxHost {
		return fmt.Errorf("%w: -service may have %d bytes, -host %d", errUsage, logwire.MaxService, logwire.MaxHost)
	}
	if f.o.Location, err = time.LoadLocation(f.zone); err != nil {
		return fmt.Errorf("%w: -zone: %w", errUsage, err)
	}
	if f.state == "" {
		f.state, err = stateDir()
	}
	return err
}

// stateDir is logd/ship in the directory that the XDG specification has for states.
func stateDir() (string, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("%w: say -state: %w", errUsage, err)
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "logd", "ship"), nil
}

// shipped is how the shipping of one file has ended.
type shipped struct {
	ship.Report
	Error string `json:"error,omitempty"`
	err   error
}

// run ships the files, those that are followed at the same time, and writes the summary.
func (f *shipFlags) run(ctx context.Context, paths []string, std stdio) int {
	p := newProgress(std.err, paths)
	results := make([]shipped, len(paths))
	one := func(i int) {
		o := f.o
		o.Progress = func(r ship.Report) { p.update(i, r) }
		o.Trouble = newTroubles(func(text string) { p.say(paths[i], text) }).tell
		results[i].Report, results[i].err = f.file(ctx, paths[i], std, o)
		results[i].Path = paths[i]
		p.update(i, results[i].Report)
	}
	var wg sync.WaitGroup
	for i := range paths {
		if f.o.Follow {
			wg.Go(func() { one(i) })
		} else {
			one(i)
		}
	}
	wg.Wait()
	p.end()
	return f.summary(results, std)
}

// file ships one file. What cannot be read again, such as a pipe, is shipped as a stream.
func (f *shipFlags) file(ctx context.Context, path string, std stdio, o ship.Options) (r ship.Report, err error) {
	reader, err := f.reader()
	if err != nil {
		return r, err
	}
	link := ship.NewLink(reader.Dial)
	defer link.Close()
	if path == "-" {
		if o.Service == "" {
			o.Service = "stdin"
		}
		return ship.Stream(ctx, path, std.in, link, o)
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return r, err
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		in, err := os.Open(path)
		if err != nil {
			return r, err
		}
		defer in.Close()
		return ship.Stream(ctx, path, in, link, o)
	}
	state := f.stateOf(path)
	store, err := ship.OpenFileStore(state)
	if err != nil {
		return r, err
	}
	defer store.Close()
	if f.restart {
		if err := os.Remove(state); err != nil && !errors.Is(err, os.ErrNotExist) {
			return r, err
		}
	}
	return ship.File(ctx, path, f.canonical(), link, store, o)
}

// stateOf names the state of a file: each collector has its own, since it has its own part of the file.
func (f *shipFlags) stateOf(path string) string {
	sum := sha256.Sum256([]byte(f.canonical() + "\n" + path))
	return filepath.Join(f.state, filepath.Base(path)+"-"+hex.EncodeToString(sum[:8])+".json")
}

// summary writes what was done, and returns the exit code: that of the first failure, or exitIncomplete if something was refused
// or may be missing.
func (f *shipFlags) summary(results []shipped, std stdio) int {
	exit := exitOK
	t := terminalOf(std.out)
	for i := range results {
		r := &results[i]
		if r.err != nil && !(f.o.Follow && errors.Is(r.err, context.Canceled)) {
			r.Error = r.err.Error()
			fmt.Fprintf(std.err, "logd: %s: %s\n", escape(r.Path), escape(r.Error))
			if exit == exitOK || exit == exitIncomplete {
				exit = exitOf(r.err)
			}
		}
		if exit == exitOK && (r.RefusedTotal() > 0 || len(r.Warnings) > 0) {
			exit = exitIncomplete
		}
		for _, w := range r.Warnings {
			fmt.Fprintf(std.err, "logd: %s: %s\n", escape(r.Path), escape(w))
		}
		if t.is && !f.json {
			fmt.Fprint(std.out, summaryText(r))
			continue
		}
		if err := writeJSON(std.out, t, r); err != nil {
			return fail(std.err, err)
		}
	}
	return exit
}
