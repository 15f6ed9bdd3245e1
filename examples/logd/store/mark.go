package store

import (
	"context"
	"fmt"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// marks are the last batches of all producers. After Open the committer alone uses them.
type marks struct {
	of  map[logwire.ProducerID]mark
	max int
}

// admit says what is to be done with a batch: store it (nil and true), acknowledge it again (nil and false), or refuse it.
func (m *marks) admit(h logwire.BatchHead) (fresh bool, err error) {
	last, known := m.of[h.Producer]
	expected := last.sequence + 1
	switch {
	case known && h.Epoch < last.epoch:
		return false, &logwire.FencedError{Epoch: last.epoch}
	case known && h.Epoch == last.epoch && h.Sequence <= last.sequence:
		return false, nil
	case !known || h.Epoch > last.epoch:
		expected = 1
	}
	switch {
	case h.Sequence != expected:
		return false, &logwire.GapError{Expected: expected}
	case !known && len(m.of) >= m.max:
		return false, &logwire.ReadOnlyError{Reason: fmt.Sprintf("%d producers have a mark, and the limit is %d", len(m.of), m.max)}
	}
	return true, nil
}

// set makes the batch its producer's last one, and returns the mark.
func (m *marks) set(h logwire.BatchHead, now time.Time) mark {
	last := mark{h.Epoch, h.Sequence, now.UnixNano()}
	m.of[h.Producer] = last
	return last
}

// expire forgets the producers that have sent nothing since before and returns them.
func (m *marks) expire(before time.Time) []logwire.ProducerID {
	var expired []logwire.ProducerID
	for p, last := range m.of {
		if last.time < before.UnixNano() {
			delete(m.of, p)
			expired = append(expired, p)
		}
	}
	return expired
}

// expireMarks removes the marks that Options.MarkAge is over for.
func (s *Store) expireMarks(ctx context.Context) error {
	r := &request{expireMarks: true, done: make(chan struct{})}
	if err := s.queue.put(r); err != nil {
		return err
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}
