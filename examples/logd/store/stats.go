package store

import "github.com/serialkit/serialkit/examples/logd/logclient/logwire"

// Stats returns the numbers of logwire.Stats that are the store's; those of tails and the uptime are 0.
func (s *Store) Stats() logwire.Stats {
	head, first := s.Head(), s.First()
	sealed, days := s.files.sum()
	stats := logwire.Stats{
		NextID: head, FirstID: first, Records: int64(head - min(first, head)), Unsealed: s.unsealed.records.Load(),
		Blocks: int64(sealed.blocks), BlockBytes: sealed.size, RawBytes: sealed.raw, Days: days,
		Producers: s.producers.Load(), FreeBytes: max(0, s.space.last.Load()), Corrupt: s.counts.corrupt.Load(),
		Appended: s.counts.appended.Load(), Batches: s.counts.batches.Load(), Commits: s.counts.commits.Load(),
		Repeated: s.counts.repeated.Load(), Refused: s.counts.refused.Load(), Gaps: s.counts.gaps.Load(),
		Busy: s.counts.busy.Load(), Expired: s.counts.expired.Load(), Queries: s.counts.queries.Load(),
	}
	if refusal := s.space.refusal.Load(); refusal != nil {
		stats.ReadOnly = refusal.Reason
	}
	return stats
}
