package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// cmdTail shows records as they are stored.
func cmdTail(ctx context.Context, args []string, std stdio) int {
	var f queryFlags
	fs := newFlags("tail", "['QUERY']", "Shows records as they are stored, until INT or TERM. It connects again when the connection fails.",
		"  logd tail 'service:api level>=warn'\n  logd tail -- '-level:debug -health'\n  logd tail -cursor 1 > everything.jsonl\n", askingCodes)
	f.register(fs)
	fs.Uint64Var(&f.cursor, "cursor", 0, "begin with the record of this id; 0: with the next one that is stored")
	fs.BoolVar(&f.json, "json", false, "JSON lines on a terminal too")
	fs.BoolVar(&f.table, "table", false, "a table in a pipe too")
	fs.BoolVar(&f.full, "full", false, "do not cut the lines of a table to the terminal's width")
	if exit, ok := f.parse(fs, args, std); !ok {
		return exit
	}
	reader, err := f.reader()
	if err != nil {
		return fail(std.err, err)
	}
	ctx, cancel := interruptible(ctx)
	defer cancel()
	return f.tail(ctx, reader, f.text(fs.Args()), std)
}

func (f *queryFlags) tail(ctx context.Context, reader *logclient.Reader, text string, std stdio) int {
	out := f.output(std)
	t := reader.Tail(ctx, logwire.TailRequest{Cursor: f.cursor, Text: text})
	defer t.Close()
	t.OnFailure = func(err error) { fmt.Fprintf(std.err, "logd: connecting again: %s\n", escape(err.Error())) }
	err := t.Connect() // A collector that was never there may have another address.
	for {
		var event logclient.Event
		if err == nil {
			event, err = t.Next()
		}
		switch {
		case errors.Is(err, context.Canceled):
			if t.Cursor() != 0 {
				fmt.Fprintf(std.err, "logd: go on with -cursor %d\n", t.Cursor())
			}
			return exitOK
		case err != nil:
			return failQuery(std.err, text, err)
		case event.Record == nil:
			fmt.Fprintf(std.err, "logd: %d records missed\n", event.Missed)
			continue
		}
		err = out.write(event.ID, event.Record)
		if err == nil {
			err = out.flush()
		}
		if err != nil {
			return fail(std.err, err)
		}
	}
}
