package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"

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
	o, err := f.options()
	if err != nil {
		return fail(std.err, err)
	}
	dial, err := f.dialer()
	if err != nil {
		return fail(std.err, err)
	}
	ctx, cancel := interruptible(ctx)
	defer cancel()
	var connections atomic.Int64
	ctx, refuse := context.WithCancelCause(ctx)
	defer refuse(nil)
	o.Dialer = func(ctx context.Context, _, _ string) (net.Conn, error) {
		if connections.Load() > 0 {
			fmt.Fprintln(std.err, "logd: connecting again")
		}
		conn, err := dial(ctx)
		if err == nil {
			connections.Add(1)
		} else if connections.Load() == 0 { // A collector that was never there may have another address.
			refuse(err)
		}
		return conn, err
	}
	reader, err := logclient.NewReader(o)
	if err != nil {
		return fail(std.err, err)
	}
	return f.tail(ctx, reader, f.text(fs.Args()), std)
}

func (f *queryFlags) tail(ctx context.Context, reader *logclient.Reader, text string, std stdio) int {
	out := f.output(std)
	t := reader.Tail(ctx, logwire.TailRequest{Cursor: f.cursor, Text: text})
	defer t.Close()
	for {
		event, err := t.Next()
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
