// Quickstart shows what Serialkit does in one run: it starts a daemon on loopback, connects a client
// to it, works on real files, and prints what happened.
//
//	go run ./examples/quickstart [FILE...]
//
// Without FILEs it works on the documents and sources of the module around the working directory.
// It exits 1 if a FILE cannot be read.
//
// Read server.go for how tasks are written and served, client.go for how they are called, and this
// file for what a caller learns from each call.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

func main() {
	flag.Usage = func() { fmt.Fprintln(flag.CommandLine.Output(), "usage: quickstart [FILE...]") }
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// run is the whole tour.
func run(ctx context.Context, out io.Writer, names []string) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	files, whose, err := findFiles(dir, names)
	if err != nil {
		return err
	}
	d, err := startDaemon(ctx)
	if err != nil {
		return err
	}
	defer d.stop()
	c, err := dial(ctx, d.addr())
	if err != nil {
		return err
	}
	defer c.Close()
	fmt.Fprintf(out, "A daemon listens on %s.\nThe input: %s.\n", d.addr(), whose)

	t := tour{account: account{out}, daemon: d, client: c, files: files}
	for _, step := range []func(context.Context) error{
		t.typed, t.streamed, t.pipelined, t.cancelled, t.failed, t.goodbye,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// tour is a run's state from step to step.
type tour struct {
	account
	daemon *daemon
	client client
	files  []file
	words  uint64 // as the streamed tasks have counted them
}

// typed calls a task that takes and gives values.
func (t *tour) typed(ctx context.Context) error {
	t.title("A typed task: survey")
	largest, total, err := t.client.survey(ctx, t.files)
	if err != nil {
		return err
	}
	t.line("Files: %s, bytes: %s, the largest: %s.", grouped(len(t.files)), grouped(total), largest)
	return nil
}

// streamed sends each file through a task.
func (t *tour) streamed(ctx context.Context) error {
	t.title("A streamed task over each file: digest")
	var rows []row
	for _, f := range t.files {
		content, err := f.open()
		if err != nil {
			return err
		}
		s, err := t.client.digest(ctx, content)
		content.Close()
		if err != nil {
			return err
		}
		rows = append(rows, row{f.name, s})
		t.words += s.words
	}
	t.table(rows)
	return nil
}

// pipelined calls a small task for each line of each file.
func (t *tour) pipelined(ctx context.Context) error {
	t.title("Many small tasks, pipelined: the words of each line")
	start := time.Now()
	tasks, words, err := t.client.words(ctx, linesOf(t.files))
	if err != nil {
		return err
	}
	took := time.Since(start)
	rate := uint64(float64(tasks) / took.Seconds())
	t.line("%s tasks in %v: %s a second.", grouped(tasks), short(took), grouped(rate))
	if words != t.words {
		return fmt.Errorf("the lines have %d words, the files %d", words, t.words)
	}
	t.line("The lines have %s words together, as many as the files.", grouped(words))
	return nil
}

// cancelled gives up a call that is under way.
func (t *tour) cancelled(ctx context.Context) error {
	t.title("A cancelled task: wait")
	c, err := dial(ctx, t.daemon.addr()) // of its own: it will be closed
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	result := make(chan error, 1)
	go func() { result <- c.wait(ctx) }()
	select {
	case <-t.daemon.waiting: // the task runs
	case err := <-result:
		return err
	}
	cancel() // the call returns at once; the task has not been told
	err = <-result
	t.line("The client knows: %v (%v).", serialclient.OutcomeOf(err), context.Cause(ctx))
	c.Close() // this is how the server learns of it
	t.line("The server saw:   %v.", <-t.daemon.cancelled)
	return nil
}

// failed calls a task that answers with an error code.
func (t *tour) failed(ctx context.Context) error {
	t.title("A task that fails: survey of no files")
	_, _, err := t.client.survey(ctx, nil)
	var coder serial.ErrorCoder
	if !errors.As(err, &coder) {
		return fmt.Errorf("survey of no files: %w", err)
	}
	t.line("The client knows: %v, with error code %v.", serialclient.OutcomeOf(err), coder.ErrorCode())
	if err := t.client.KeepAlive(ctx); err != nil {
		return err
	}
	t.line("The connection goes on.")
	return nil
}

// goodbye ends the connection and the daemon.
func (t *tour) goodbye(ctx context.Context) error {
	t.title("Goodbye")
	if err := t.client.Disconnect(ctx); err != nil {
		return err
	}
	t.line("The client has disconnected, and the server said Goodbye.")
	t.daemon.stop()
	t.line("The daemon has stopped. What it has counted:")
	t.statistics(&t.daemon.metrics, t.daemon.server)
	return nil
}
