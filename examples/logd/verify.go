package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/serialkit/serialkit/examples/logd/store"
)

// cmdVerify reads everything in the store of a stopped collector, and reports what is damaged.
func cmdVerify(ctx context.Context, args []string, std stdio) int {
	flags := newFlags("verify", "-data DIR", "Reads everything in the store of a stopped collector, and reports what is damaged. It changes no record.",
		"  logd verify -data /var/lib/logd\n  logd verify -data /var/lib/logd -all -json\n", "0 all is sound, 1 something is damaged, 6 usage, 8 the store cannot be opened")
	data := flags.String("data", "", "the `directory` of the store; no collector may use it")
	all := flags.Bool("all", false, "report what is sound, too")
	asJSON := flags.Bool("json", false, "write JSON lines")
	if exit, ok := parse(flags, args, std); !ok {
		return exit
	}
	switch {
	case flags.NArg() > 0:
		return misused(flags, std.err, fmt.Errorf("%w: unexpected argument %q", errUsage, flags.Arg(0)))
	case *data == "":
		return misused(flags, std.err, fmt.Errorf("%w: -data says where the store is", errUsage))
	}
	var out reports = newTable(std.out)
	if *asJSON {
		out = jsonLines{json.NewEncoder(std.out)}
	}
	sum, err := verify(ctx, *data, func(p part) {
		if *all || p.Error != "" {
			out.part(p)
		}
	})
	switch {
	case errors.Is(err, errStoreOpen):
		fail(std.err, err)
		return exitOpen
	case err == nil:
		err = out.sum(sum)
	}
	if err != nil {
		fail(std.err, err)
		return exitFailure
	}
	if sum.Damaged > 0 {
		return exitFailure
	}
	return exitOK
}

// verify opens a store, which writes what a start writes and nothing else, and reads all of it.
func verify(ctx context.Context, dir string, report func(part)) (sum summary, err error) {
	if _, err := os.Stat(dir); err != nil { // Otherwise it would be made.
		return sum, fmt.Errorf("%w: %w", errStoreOpen, err)
	}
	st, err := store.Open(dir, store.Options{MinFree: -1, SealAge: -1, SealBytes: -1, MarkAge: -1})
	if err != nil {
		return sum, fmt.Errorf("%w: %w", errStoreOpen, err)
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	err = st.Verify(ctx, func(r store.BlockReport) {
		p := part{FirstID: r.IDs.First, LastID: r.IDs.End - 1, File: r.File, Offset: r.Offset, Size: r.Size, RawSize: r.RawSize}
		sum.Parts++
		sum.Size += r.Size
		if r.Err != nil {
			p.Error = r.Err.Error()
			sum.Damaged++
			sum.Lost += r.IDs.End - r.IDs.First
		} else {
			sum.Records += r.IDs.End - r.IDs.First
		}
		report(p)
	})
	return sum, err
}

// part is what is said of a block, or of a batch that is not in one.
type part struct {
	FirstID uint64 `json:"first_id"`
	LastID  uint64 `json:"last_id"`
	// File is empty where the records are not in a block.
	File    string `json:"file,omitempty"`
	Offset  int64  `json:"offset,omitempty"`
	Size    int64  `json:"size"`
	RawSize int64  `json:"raw_size"`
	// Error is empty where all is well.
	Error string `json:"error,omitempty"`
}

// summary is what is said of all.
type summary struct {
	// Parts are blocks and batches; Damaged is how many of them cannot be read, with Lost records.
	Parts   int    `json:"parts"`
	Damaged int    `json:"damaged"`
	Records uint64 `json:"records"`
	Lost    uint64 `json:"lost"`
	Size    int64  `json:"size"`
}

// reports is where they are written.
type reports interface {
	part(p part)
	sum(s summary) error
}

// jsonLines writes a line for each part, and one for the sum.
type jsonLines struct{ *json.Encoder }

func (j jsonLines) part(p part)         { j.Encode(p) }
func (j jsonLines) sum(s summary) error { return j.Encode(s) }

// table writes lines for people.
type table struct{ *tabwriter.Writer }

func newTable(w io.Writer) table { return table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)} }

func (t table) part(p part) {
	where := "not in a block"
	if p.File != "" {
		where = fmt.Sprintf("%s at %d", p.File, p.Offset)
	}
	what := "sound"
	if p.Error != "" {
		what = p.Error
	}
	fmt.Fprintf(t, "%d to %d\t%d bytes\t%s\t%s\n", p.FirstID, p.LastID, p.Size, where, what)
}

func (t table) sum(s summary) error {
	fmt.Fprintf(t, "%d records in %d blocks and batches are sound, %d bytes; %d damaged, with %d records\n",
		s.Records, s.Parts-s.Damaged, s.Size, s.Damaged, s.Lost)
	return t.Flush()
}
