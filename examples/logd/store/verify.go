package store

import (
	"context"
	"fmt"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// BlockReport is what Verify says of a block, of an unsealed batch, or of ids that are nowhere.
type BlockReport struct {
	// IDs are those of the records.
	IDs Range
	// File is the block's file, empty for an unsealed batch, and Offset where it begins in it.
	File string
	// Offset is in bytes.
	Offset int64
	// Size is what it takes on disk, and RawSize its records before they were compressed.
	Size, RawSize int64
	// Err is what is wrong with it, or nil.
	Err error
}

// Verify reads everything that is stored when it is called, looks at every record as if it came from outside, and
// calls report for each block and unsealed batch, in the order of their ids. It changes nothing. It returns the error
// of ctx, or what failed in the store; what is damaged is in the reports.
func (s *Store) Verify(ctx context.Context, report func(BlockReport)) error {
	reader := blockReader{store: s}
	defer reader.close()
	for at, end := s.first.Load(), s.head.Load(); at < end; {
		pieces, err := s.pieces(at, false)
		if err != nil {
			return err
		}
		for i := range pieces {
			p := &pieces[i]
			p.ids.End = min(p.ids.End, end)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if p.ids.First >= end {
				return nil
			}
			r := s.verify(&reader, p)
			if p.ids.End > s.first.Load() { // It may have expired meanwhile.
				report(r)
			}
			at = p.ids.End
		}
		at = max(at, s.first.Load())
	}
	return nil
}

func (s *Store) verify(reader *blockReader, p *piece) BlockReport {
	r := BlockReport{IDs: p.ids, RawSize: int64(len(p.records)), Size: int64(len(p.records))}
	switch {
	case p.hole:
		r.Err = fmt.Errorf("store: records are missing")
	case p.block == nil:
		r.Err = logwire.CheckRecords(p.records, int(p.ids.End-p.ids.First), nil)
	default:
		r.File, r.Offset = s.filePath(p.block.day, p.block.file), int64(p.block.offset)
		r.Size, r.RawSize = p.block.size(), int64(p.block.summary.RawLen)
		if r.Err = verifyBlock(reader, p.block); r.Err != nil {
			s.damaged(p.block, r.Err)
		}
	}
	return r
}

// verifyBlock compares a block's filter and records with its summary.
func verifyBlock(reader *blockReader, b *blockAt) error {
	if _, err := reader.bloom(b); err != nil {
		return err
	}
	records, err := reader.records(b)
	if err != nil {
		return err
	}
	sum := &b.summary
	return logwire.CheckRecords(records, sum.Count, func(v *logwire.View) error {
		if v.Time < sum.MinTime || v.Time > sum.MaxTime || sum.Levels&(1<<v.Level) == 0 {
			return fmt.Errorf("store: a record that the summary of its block rules out")
		}
		return nil
	})
}
