package logclient

import (
	"github.com/serialkit/serialkit/examples/logd/logclient/spool"
)

// enterEpoch sees to it that a batch may be sent. A flight is of one epoch: were one of the last refused, the first of the next might be
// stored, and the collector would refuse the last for ever. And before an epoch is begun the spool forgets those before, on
// the disk: after a crash they would be refused, and nobody could say whether they had been stored. It reports false
// if the batch is not to be sent now.
func (s *sending) enterEpoch(b *batch) bool {
	s.mu.Lock()
	if s.flight.foreign {
		s.renumber, s.replace = true, true
	}
	s.renumber = s.renumber || s.flight.leftOut
	s.flight.leftOut = false
	s.mu.Unlock()
	epoch := s.identity.Head(b.key).Epoch
	if epoch == s.epoch && !s.renumber {
		return true
	}
	if !s.landed() {
		return false
	}
	id := s.identity
	if s.renumber {
		id.Renumber(b.key)
		if s.replace {
			id.Producer = spool.NewIdentity().Producer
		}
	}
	if s.spool != nil {
		id.Acked = s.spool.Acked()
		if id != s.identity {
			if err := s.spool.SetIdentity(id); err != nil {
				s.trouble.report(SpoolFailed, err)
				s.pause()
				s.rewind()
				return false
			}
			id = s.spool.Identity()
		}
	}
	s.identity, s.epoch = id, id.Head(b.key).Epoch
	if s.renumber {
		s.mu.Lock()
		s.ledger.Renumbered++
		s.flight.foreign = false
		s.mu.Unlock()
	}
	s.renumber, s.replace = false, false
	return true
}

// landed waits until nothing is in flight. It reports false if something was refused, or the connection has ended.
func (s *sending) landed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &s.flight
	for len(f.batches) > 0 && f.broken == nil && !s.stopping {
		s.wake.Wait()
	}
	return f.broken == nil && f.refusal == nil && !s.stopping
}

func (s *sending) rewind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rewindLocked()
}
