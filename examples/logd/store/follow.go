package store

import (
	"context"
	"math"

	"github.com/serialkit/serialkit/examples/logd/query"
)

// Follow is Scan for who has to know of each record: it also calls pass, in the order of the ids, for ranges from first to end-1 that
// it passes over without having looked at them, because they have expired or cannot be read.
func (s *Store) Follow(ctx context.Context, f *query.Filter, from, to uint64, emit func(id uint64, record []byte) error, pass func(first, end uint64)) (next uint64, err error) {
	c := s.newScan(f, Range{max(from, 1), min(to, s.head.Load())}, emit)
	c.bytes, c.limit = math.MaxInt64, math.MaxInt64
	c.pass = func(ids Range) { pass(ids.First, ids.End) }
	err = c.run(ctx)
	return c.left.First, err
}
