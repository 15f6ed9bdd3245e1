package store

import (
	"context"
	"math"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/query"
)

// Query calls emit for the records that f wants, in the order of their ids and in the direction that req says, among those
// that are stored when it is called; req.Text is not looked at, and a nil f wants all. record is valid during the call. Without a limit in req it is
// logwire.DefaultLimit.
//
// The End says why the query ended and what it did. With the reason "error" the records are not all, and Error is that of ctx or
// emit, or what failed in the store. A query ends early with "time" and "bytes"; see Options. Blocks that cannot be read are
// passed over and counted in Plan.Corrupt and Plan.Lost. Plan.Blocks counts the blocks up to where the query ended. It takes
// memory for one block: about 3 MiB.
//
// The cursor for the next page is set whenever the end of the range was not reached, after an error too.
func (s *Store) Query(ctx context.Context, f *query.Filter, req logwire.QueryRequest, emit func(id uint64, record []byte) error) logwire.End {
	s.counts.queries.Add(1)
	begin := s.o.Now()
	c := s.newScan(f, Range{1, s.head.Load()}, emit)
	c.back, c.bytes, c.deadline = req.NewestFirst, s.o.QueryBytes, begin.Add(min(s.o.QueryTime, math.MaxInt64/2))
	if c.limit = int64(req.Limit); c.limit <= 0 {
		c.limit = logwire.DefaultLimit
	}
	switch {
	case req.Cursor == 0:
	case c.back:
		c.left.End = min(c.left.End, req.Cursor)
	default:
		c.left.First = max(c.left.First, req.Cursor)
	}
	err := c.run(ctx)
	end := logwire.End{Reason: c.reason, Plan: c.plan}
	if end.Plan.Nanoseconds = s.o.Now().Sub(begin).Nanoseconds(); err != nil {
		end.Error = err.Error()
	}
	if end.Reason != reasonEnd {
		end.Cursor = c.left.First
		if c.back {
			end.Cursor = c.left.End
		}
	}
	return end
}

// Scan calls emit for the records from from up to, but without, to that f wants, oldest first; a nil f wants all. What is not below Head is not
// scanned. It returns the id to go on with, which is behind the last record that was looked at, and the error of ctx or emit, or what
// failed in the store. Records that have expired, and those of blocks that cannot be read, are passed over. record is valid during the
// call. Scan has no bound in time or bytes.
func (s *Store) Scan(ctx context.Context, f *query.Filter, from, to uint64, emit func(id uint64, record []byte) error) (next uint64, err error) {
	c := s.newScan(f, Range{max(from, 1), min(to, s.head.Load())}, emit)
	c.bytes, c.limit = math.MaxInt64, math.MaxInt64
	err = c.run(ctx)
	return c.left.First, err
}

func (s *Store) newScan(f *query.Filter, ids Range, emit func(id uint64, record []byte) error) *scan {
	if f == nil {
		f = s.everything
	}
	return &scan{store: s, filter: f, left: ids, emit: emit}
}
