package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// statsTimeout bounds the question.
const statsTimeout = 10 * time.Second

// cmdStats shows how a collector is.
func cmdStats(ctx context.Context, args []string, std stdio) int {
	var r remote
	fs := newFlags("stats", "", "Shows how a collector is: a table on a terminal, JSON in a pipe.", "  logd stats\n  logd stats -addr tcp://logs:7600 | jq .records\n", askingCodes)
	r.register(fs)
	asJSON := fs.Bool("json", false, "JSON on a terminal too")
	if exit, ok := parse(fs, args, std); !ok {
		return exit
	}
	if fs.NArg() > 0 {
		return misused(fs, std.err, fmt.Errorf("%w: unexpected argument %q", errUsage, fs.Arg(0)))
	}
	reader, err := r.reader()
	if err != nil {
		return fail(std.err, err)
	}
	ctx, cancel := context.WithTimeout(ctx, statsTimeout)
	defer cancel()
	stats, err := reader.ServerStats(ctx)
	if err != nil {
		return fail(std.err, err)
	}
	if t := terminalOf(std.out); !t.is || *asJSON {
		err = writeJSON(std.out, t, stats)
	} else {
		err = writeStats(std.out, &stats)
	}
	if err != nil {
		return fail(std.err, err)
	}
	return exitOK
}

// writeStats writes the table.
func writeStats(w io.Writer, s *logwire.Stats) error {
	state := "takes records"
	if s.ReadOnly != "" {
		state = "read-only: " + escape(s.ReadOnly)
	}
	ratio := "-"
	if s.BlockBytes > 0 {
		ratio = fmt.Sprintf("%.1f", float64(s.RawBytes)/float64(s.BlockBytes))
	}
	for _, row := range []struct{ name, value string }{
		{"state", state},
		{"up", (time.Duration(s.UptimeSeconds) * time.Second).String()},
		{"records", fmt.Sprintf("%d, ids %d to %d, %d days, %d expired", s.Records, s.FirstID, max(s.NextID, 1)-1, s.Days, s.Expired)},
		{"blocks", fmt.Sprintf("%d, %s (%s before, ratio %s), %d damaged", s.Blocks, bytesText(s.BlockBytes), bytesText(s.RawBytes), ratio, s.Corrupt)},
		{"unsealed", fmt.Sprintf("%d records", s.Unsealed)},
		{"free", bytesText(s.FreeBytes)},
		{"appended", fmt.Sprintf("%d records, %d batches, %d commits, by %d producers", s.Appended, s.Batches, s.Commits, s.Producers)},
		{"not taken", fmt.Sprintf("%d repeated, %d refused, %d gaps, %d busy", s.Repeated, s.Refused, s.Gaps, s.Busy)},
		{"asked", fmt.Sprintf("%d queries, %d tails, %d records missed", s.Queries, s.Tails, s.Missed)},
	} {
		if _, err := fmt.Fprintf(w, "%-10s %s\n", row.name, row.value); err != nil {
			return err
		}
	}
	return nil
}
