package store

import (
	"context"
	"fmt"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/query"
)

const (
	// checkEvery is after how many records a scan looks at its context and its time.
	checkEvery = 256
	// checkBytes is after how many bytes of them it does so too: a query of many terms takes its time for each.
	checkBytes = 64 << 10
)

// The reasons of logwire.End.
const (
	reasonEnd   = "end"
	reasonLimit = "limit"
	reasonTime  = "time"
	reasonBytes = "bytes"
	reasonError = "error"
)

// scan goes through the ids of a range in one direction.
type scan struct {
	store    *Store
	filter   *query.Filter
	back     bool
	left     Range     // what is not looked at yet; it shrinks from the side on which the scan begins
	deadline time.Time // zero: none
	bytes    int64     // how many may still be read
	limit    int64     // how many records may still be returned
	emit     func(id uint64, record []byte) error
	pass     func(ids Range) // is told what is not looked at because it has expired or cannot be read; may be nil

	plan    logwire.Plan
	reader  blockReader
	offsets []uint32
	view    logwire.View
	reason  string // set when the scan is to end
}

// run scans until reason is set. With reasonError err is not nil, and left begins with what was not returned.
func (c *scan) run(ctx context.Context) (err error) {
	c.reader.store = c.store
	defer c.reader.close()
	for c.reason == "" {
		if first := c.store.first.Load(); c.left.First < first {
			expired := Range{c.left.First, max(c.left.First, min(first, c.left.End))}
			c.passOver(expired)
			c.left.First = expired.End // Not first: what is behind the end of the range was not passed over.
		}
		if c.left.First >= c.left.End {
			c.reason = reasonEnd
			break
		}
		if err = c.pause(ctx); err == nil && c.reason == "" {
			err = c.more(ctx)
		}
		if err != nil {
			c.reason = reasonError
		}
	}
	return err
}

// more looks up pieces and goes through them.
func (c *scan) more(ctx context.Context) error {
	at := c.left.First
	if c.back {
		at = c.left.End - 1
	}
	pieces, err := c.store.pieces(at, c.back)
	if err != nil {
		return err
	}
	for i := range pieces {
		ids := Range{max(pieces[i].ids.First, c.left.First), min(pieces[i].ids.End, c.left.End)}
		if ids.First >= ids.End {
			return nil
		}
		if err := c.piece(ctx, &pieces[i], ids); err != nil || c.reason != "" {
			return err
		}
		c.passed(ids)
		if err := c.pause(ctx); err != nil || c.reason != "" {
			return err
		}
	}
	return nil
}

// pause looks whether the scan may go on.
func (c *scan) pause(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case c.bytes <= 0:
		c.reason = reasonBytes
	case !c.deadline.IsZero() && !c.store.o.Now().Before(c.deadline):
		c.reason = reasonTime
	}
	return nil
}

// passed takes ids that were looked at off what is left.
func (c *scan) passed(ids Range) {
	if c.back {
		c.left.End = ids.First
	} else {
		c.left.First = ids.End
	}
}

// piece goes through the ids of one piece.
func (c *scan) piece(ctx context.Context, p *piece, ids Range) error {
	switch {
	case p.hole:
		c.hole(ids)
		return nil
	case p.block == nil:
		before := c.plan.Scanned
		err := c.records(ctx, p.records, p.ids, ids)
		c.bytes -= int64(len(p.records))
		c.plan.Unsealed += c.plan.Scanned - before
		return err
	}
	c.plan.Blocks++
	wanted, err := c.wanted(p.block)
	var records []byte
	if err == nil && wanted {
		records, err = c.reader.records(p.block)
		c.plan.Read++
		c.plan.ReadBytes += p.block.size()
		c.bytes -= int64(p.block.dataLen)
	}
	if err == nil && wanted {
		err = c.split(records, p.block.summary.Count)
	}
	if err != nil {
		if c.store.damaged(p.block, err) {
			c.plan.Corrupt++
			c.plan.Lost += int64(ids.End - ids.First)
		}
		c.passOver(ids)
		return nil
	}
	if !wanted {
		return nil
	}
	return c.records(ctx, records, p.ids, ids)
}

// hole counts records that are nowhere: Options.AcceptLoss has given them up, or they have expired just now.
func (c *scan) hole(ids Range) {
	c.passOver(ids)
	ids.First = max(ids.First, c.store.first.Load())
	if ids.First < ids.End {
		c.plan.Lost += int64(ids.End - ids.First)
	}
}

func (c *scan) passOver(ids Range) {
	if c.pass != nil && ids.First < ids.End {
		c.pass(ids)
	}
}

// wanted asks the skip index.
func (c *scan) wanted(b *blockAt) (bool, error) {
	switch c.filter.Rules(&b.summary) {
	case query.SkipTime:
		c.plan.SkippedTime++
		return false, nil
	case query.SkipLevel:
		c.plan.SkippedLevel++
		return false, nil
	case query.SkipService:
		c.plan.SkippedService++
		return false, nil
	}
	if !c.filter.NeedsBloom(&b.summary) {
		return true, nil
	}
	c.bytes -= int64(b.bloomLen)
	bloom, err := c.reader.bloom(b)
	if err != nil {
		return false, err
	}
	if c.filter.RuledOut(bloom) {
		c.plan.SkippedTokens++
		return false, nil
	}
	return true, nil
}

// split notes where each record begins.
func (c *scan) split(records []byte, count int) error {
	c.offsets = c.offsets[:0]
	at := 0
	for record, rest, ok := logwire.NextRecord(records); ok; record, rest, ok = logwire.NextRecord(rest) {
		c.offsets = append(c.offsets, uint32(at))
		at += logwire.RecordPrefix + len(record)
	}
	if len(c.offsets) != count || at != len(records) {
		return fmt.Errorf("store: %d records in %d bytes instead of %d in %d", len(c.offsets), at, count, len(records))
	}
	return nil
}

// records goes through the ids among the records of a piece, which has all.
func (c *scan) records(ctx context.Context, records []byte, all, ids Range) error {
	if err := c.split(records, int(all.End-all.First)); err != nil {
		return err
	}
	unchecked := 0
	for n := range ids.End - ids.First {
		if n%checkEvery == checkEvery-1 || unchecked >= checkBytes {
			unchecked = 0
			if err := c.pause(ctx); err != nil || c.reason != "" {
				return err
			}
		}
		id := ids.First + n
		if c.back {
			id = ids.End - 1 - n
		}
		record, _, _ := logwire.NextRecord(records[c.offsets[id-all.First]:])
		unchecked += len(record)
		if err := c.record(id, record); err != nil || c.reason != "" {
			return err
		}
	}
	return nil
}

func (c *scan) record(id uint64, record []byte) error {
	if !logwire.TrustRecord(record, &c.view) {
		return fmt.Errorf("store: the record with the id %d is malformed", id)
	}
	if c.filter.Match(&c.view) {
		if err := c.emit(id, record); err != nil {
			return err
		}
		c.plan.Matched++
		c.limit--
	}
	c.plan.Scanned++
	c.passed(Range{id, id + 1})
	if c.limit == 0 && c.left.First < c.left.End {
		c.reason = reasonLimit
	}
	return nil
}
