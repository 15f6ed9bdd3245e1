package store

import (
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

const (
	// groupBytes bounds what is committed at once. It stays below half of Pebble's smallest memory table in use, so that
	// a group never becomes a table of its own.
	groupBytes = 8 << 20
	// groupsInFlight is how many groups may be between the committer and the disk. While one is synced the next is written.
	groupsInFlight = 4
)

// group is what is committed at once: the requests in their order, and the Pebble batch of those that are to be stored.
type group struct {
	requests []*request
	batch    *pebble.Batch // nil if nothing is to be stored
	head     uint64        // the next id when the group is durable
	err      error
}

// commits takes requests until the queue is closed and empty. It is the only one who assigns ids and touches the marks, and it
// reads neither again: what it knows is ahead of what is durable.
func (s *Store) commits() {
	defer close(s.inFlight)
	id := s.head.Load()
	for {
		requests := s.queue.take(min(groupBytes, s.o.MemTable/4))
		if len(requests) == 0 {
			return
		}
		g := s.group(requests, id)
		id = g.head
		if g.err != nil { // The marks and ids are ahead of what was written.
			s.fail(g.err)
		} else if g.batch != nil {
			s.apply(g)
		}
		s.inFlight <- g
	}
}

// group decides on each request and writes what is to be stored into a Pebble batch.
func (s *Store) group(requests []*request, id uint64) *group {
	g := &group{requests: requests, head: id}
	if g.err = s.failed(); g.err != nil {
		return g
	}
	size := 0
	for _, r := range requests {
		size += len(r.records) + 128
	}
	now := s.o.Now()
	for _, r := range requests {
		if r.expireMarks {
			g.err = errors.Join(g.err, s.dropMarks(g, now.Add(-s.o.MarkAge)))
			continue
		}
		fresh, err := s.marks.admit(r.head)
		if err == nil && fresh {
			err = r.refusal
		}
		if err != nil {
			r.err = err
			continue
		}
		if !fresh {
			r.answer.Mark = s.marks.of[r.head.Producer].sequence
			continue
		}
		if g.batch == nil {
			g.batch = s.db.NewBatchWithSize(size)
		}
		m := s.marks.set(r.head, now)
		r.answer.Stored, r.answer.Mark, r.answer.FirstID = true, m.sequence, g.head
		g.err = errors.Join(g.err, put(g.batch, g.head, r, m))
		g.head += uint64(r.head.Count)
	}
	s.producers.Store(int64(len(s.marks.of)))
	return g
}

// put writes a request's records, which are copied, and its mark.
func put(b *pebble.Batch, id uint64, r *request, m mark) error {
	const keyLen = 1 + 8
	op := b.SetDeferred(keyLen, unsealedHead+len(r.records))
	copy(op.Key, numberKey(keyUnsealed, id))
	putUnsealedHead(op.Value, unsealed{m.time, r.head.Count, nil})
	copy(op.Value[unsealedHead:], r.records)
	return errors.Join(op.Finish(), b.Set(markKey(r.head.Producer), m.append(nil), nil))
}

// dropMarks removes the marks of producers that were silent since before.
func (s *Store) dropMarks(g *group, before time.Time) error {
	var errs error
	for _, p := range s.marks.expire(before) {
		if g.batch == nil {
			g.batch = s.db.NewBatch()
		}
		errs = errors.Join(errs, g.batch.Delete(markKey(p), nil))
	}
	return errs
}

// apply hands the group to Pebble, whose log writer begins to write and to sync it.
func (s *Store) apply(g *group) {
	err := s.db.ApplyNoSyncWait(g.batch, pebble.Sync)
	if err != nil {
		s.fail(err)
	}
	g.err = s.failed()
}

// acknowledges waits for the syncs in their order, and then tells everybody. A group without a batch waits too: its requests
// may have been stored by the group before.
func (s *Store) acknowledges() {
	for g := range s.inFlight {
		if g.err == nil && g.batch != nil {
			s.await(g)
		}
		g.err = s.failed()
		if g.err == nil {
			s.publish(g)
		} else {
			s.queue.close(g.err)
		}
		for _, r := range g.requests {
			r.finish(g.err)
		}
	}
}

// await waits until the group is durable and the witness knows of it.
func (s *Store) await(g *group) {
	if !s.o.hooks.ackUnsynced {
		if err := errors.Join(g.batch.SyncWait(), g.batch.Close()); err != nil {
			s.fail(err)
			return
		}
	}
	if err := s.witness.write(g.head); err != nil {
		s.fail(err)
	}
}

// publish makes the group visible.
func (s *Store) publish(g *group) {
	s.head.Store(g.head)
	for _, r := range g.requests {
		switch {
		case r.expireMarks:
		case r.err != nil && r.err == r.refusal:
			s.counts.refused.Add(1)
		case r.err != nil:
			s.counts.gaps.Add(1)
		case !r.answer.Stored:
			s.counts.repeated.Add(1)
		default:
			s.counts.batches.Add(1)
			s.counts.appended.Add(int64(r.head.Count))
			s.unsealed.add(int64(r.head.Count), int64(len(r.records)))
			s.space.wrote(int64(len(r.records)))
			s.o.OnCommit(r.answer.FirstID, r.head.Count, r.records)
		}
	}
	if g.batch != nil {
		s.counts.commits.Add(1)
	}
	if s.unsealed.bytes.Load() >= s.o.SealBytes {
		s.wakeSealer()
	}
}
