package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// queryFlags are those of logd query.
type queryFlags struct {
	remote
	limit        int
	order        string
	cursor       uint64
	since, until string
	json, table  bool
	full, plan   bool
	timeout      time.Duration
}

// cmdQuery finds records.
func cmdQuery(ctx context.Context, args []string, std stdio) int {
	var f queryFlags
	fs := newFlags("query", "['QUERY']", "Finds stored records: a table on a terminal, JSON lines in a pipe.",
		"  logd query 'service:api level>=warn \"connection reset\" user=42 since:1h'\n  logd query -limit 0 -order oldest service:dpkg > dpkg.jsonl\n  logd query -plan 'needle'\n  logd query -- '-level:info'\n", askingCodes)
	f.register(fs)
	fs.IntVar(&f.limit, "limit", logwire.DefaultLimit, "`records` at most; 0: all")
	fs.StringVar(&f.order, "order", "newest", "newest or oldest first, by the order in which they were stored")
	fs.Uint64Var(&f.cursor, "cursor", 0, "go on where an earlier query said")
	fs.StringVar(&f.since, "since", "", "as since: in the query, such as `1h` or 2026-01-02")
	fs.StringVar(&f.until, "until", "", "as until: in the query")
	fs.BoolVar(&f.json, "json", false, "JSON lines on a terminal too")
	fs.BoolVar(&f.table, "table", false, "a table in a pipe too")
	fs.BoolVar(&f.full, "full", false, "do not cut the lines of a table to the terminal's width")
	fs.BoolVar(&f.plan, "plan", false, "write to standard error what was read and what was skipped")
	fs.DurationVar(&f.timeout, "timeout", 0, "give up after this time; default: never")
	if exit, ok := f.parse(fs, args, std); !ok {
		return exit
	}
	if f.limit < 0 {
		return fail(std.err, fmt.Errorf("%w: -limit is %d, and at least 0", errUsage, f.limit))
	}
	if f.order != "newest" && f.order != "oldest" {
		return fail(std.err, fmt.Errorf("%w: -order is %q, and newest or oldest", errUsage, f.order))
	}
	reader, err := f.reader()
	if err != nil {
		return fail(std.err, err)
	}
	ctx, cancel := interruptible(ctx)
	defer cancel()
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.timeout)
		defer cancel()
	}
	return f.run(ctx, reader, f.text(fs.Args()), std)
}

// parse is the function of that name, with a word on what queries and flags have in common.
func (f *queryFlags) parse(fs *flag.FlagSet, args []string, std stdio) (exit int, ok bool) {
	if exit, ok = parse(fs, args, std); exit == exitUsage {
		fmt.Fprintf(std.err, "logd: a query that begins with - goes behind --: logd %s -- '-level:info'\n", fs.Name())
	}
	return exit, ok
}

// text is the query with what the flags add to it.
func (f *queryFlags) text(args []string) string {
	if f.since != "" {
		args = append(args, "since:"+f.since)
	}
	if f.until != "" {
		args = append(args, "until:"+f.until)
	}
	return strings.Join(args, " ")
}

func (f *queryFlags) output(std stdio) *records {
	out := newRecords(std.out, terminalOf(std.out))
	out.json = out.json && !f.table || f.json
	out.full = f.full || !out.terminal.is
	return out
}

// run asks page by page until there is nothing more, or as many as were wanted.
func (f *queryFlags) run(ctx context.Context, reader *logclient.Reader, text string, std stdio) int {
	out := f.output(std)
	q := logwire.QueryRequest{NewestFirst: f.order == "newest", Cursor: f.cursor, Text: text}
	var plan logwire.Plan
	var found int
	wanted, err := f.limit, error(nil)
	var end logwire.End
	for {
		if q.Limit = logwire.MaxLimit; f.limit > 0 {
			q.Limit = min(wanted, logwire.MaxLimit)
		}
		var n int
		n, end, err = page(ctx, reader, q, out)
		addPlan(&plan, end.Plan)
		wanted, found = wanted-n, found+n
		if err != nil || end.Error != "" || end.Cursor == 0 || f.limit > 0 && wanted == 0 {
			break
		}
		q.Cursor = end.Cursor
	}
	if flushErr := out.flush(); err == nil {
		err = flushErr
	}
	if f.plan {
		writePlan(std.err, plan)
	}
	if found == 0 && err == nil && out.terminal.is {
		fmt.Fprintln(std.err, "logd: no record was found")
	}
	return f.tell(std.err, text, err, end, plan)
}

// page asks once and writes what is found.
func page(ctx context.Context, reader *logclient.Reader, q logwire.QueryRequest, out *records) (n int, end logwire.End, err error) {
	rows, err := reader.Query(ctx, q)
	if err != nil {
		return 0, end, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := out.write(rows.ID(), rows.Record()); err != nil {
			return n, end, err
		}
		n++
	}
	if err := rows.Err(); err != nil {
		return n, end, fmt.Errorf("%w: %w", logclient.ErrIncomplete, err)
	}
	end, _ = rows.End()
	return n, end, nil
}

// tell says how the query has ended, and returns the exit code.
func (f *queryFlags) tell(w io.Writer, text string, err error, end logwire.End, plan logwire.Plan) int {
	switch {
	case err != nil:
		return failQuery(w, text, err)
	case end.Error != "":
		fmt.Fprintf(w, "logd: the answer is not complete: %s\n", escape(end.Error))
		return exitIncomplete
	case plan.Corrupt > 0:
		fmt.Fprintf(w, "logd: the answer is not complete: %d damaged blocks with %d records were passed over\n", plan.Corrupt, plan.Lost)
		return exitIncomplete
	case end.Cursor != 0:
		fmt.Fprintf(w, "logd: there may be more: go on with -order %s -cursor %d\n", f.order, end.Cursor)
	}
	return exitOK
}

// failQuery is fail; a query that was not understood is shown, with a caret below where that was.
func failQuery(w io.Writer, text string, err error) int {
	var field *logwire.FieldError
	var position int
	switch {
	case !errors.As(err, &field):
		return fail(w, err)
	case errors.Is(err, logwire.ErrQuery):
		if n, _ := fmt.Sscanf(field.Detail, "position %d,", &position); n == 1 && position >= 1 {
			before := []rune(text)
			before = before[:min(position-1, len(before))]
			fmt.Fprintf(w, "%s\n%s^\n", escape(text), fit("", columns(escape(string(before)))))
		}
		fail(w, fmt.Errorf("the query: %s", field.Detail))
		return exitUsage
	case field.Field == "text": // Of a QueryRequest or TailRequest.
		fail(w, fmt.Errorf("the query: %w", err))
		return exitUsage
	}
	return fail(w, err)
}

func addPlan(sum *logwire.Plan, p logwire.Plan) {
	sum.Blocks += p.Blocks
	sum.SkippedTime += p.SkippedTime
	sum.SkippedLevel += p.SkippedLevel
	sum.SkippedService += p.SkippedService
	sum.SkippedTokens += p.SkippedTokens
	sum.Read += p.Read
	sum.ReadBytes += p.ReadBytes
	sum.Corrupt += p.Corrupt
	sum.Lost += p.Lost
	sum.Scanned += p.Scanned
	sum.Matched += p.Matched
	sum.Unsealed += p.Unsealed
	sum.Nanoseconds += p.Nanoseconds
}

// writePlan writes the plan: for people on a terminal, as JSON elsewhere.
func writePlan(w io.Writer, p logwire.Plan) {
	if !terminalOf(w).is {
		b, err := json.Marshal(p)
		if err != nil { // Plan has no field that can fail.
			panic(err)
		}
		fmt.Fprintf(w, "%s\n", b)
		return
	}
	fmt.Fprintf(w, "%d blocks: %d read (%s), skipped by time %d, level %d, service %d, words %d; %d damaged\n",
		p.Blocks, p.Read, bytesText(p.ReadBytes), p.SkippedTime, p.SkippedLevel, p.SkippedService, p.SkippedTokens, p.Corrupt)
	fmt.Fprintf(w, "%d records looked at, %d of them not in a block yet; %d found in %s\n",
		p.Scanned, p.Unsealed, p.Matched, time.Duration(p.Nanoseconds).Round(time.Microsecond))
}
