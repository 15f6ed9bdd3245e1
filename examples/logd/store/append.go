package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// Append stores the batch and returns when it is durable, or when it turns out that it had been stored before. The store keeps
// batch: the caller must not change it from then on, whatever is returned.
//
// The errors, with which nothing was stored: a *logwire.FieldError for a batch that is malformed or over a limit; a
// *logwire.GapError or *logwire.FencedError for one out of sequence; a *logwire.ReadOnlyError while the disk is nearly full, or
// for a new producer when there are too many; ErrBusy; ErrClosed. After ctx's error, and after ErrFailed, the batch may be
// stored, or be stored later: send it again to find out.
func (s *Store) Append(ctx context.Context, batch []byte) (logwire.AppendAnswer, error) {
	if err := ctx.Err(); err != nil {
		return logwire.AppendAnswer{}, err
	}
	head, records, err := s.check(batch)
	if err != nil && !errors.Is(err, logwire.ErrTime) { // What was stored before may be too old by now: the committer knows.
		s.counts.refused.Add(1)
		return logwire.AppendAnswer{}, err
	}
	r := &request{head: head, records: records, refusal: err, done: make(chan struct{})}
	if err := s.admit(r); err != nil {
		return logwire.AppendAnswer{}, err
	}
	select {
	case <-r.done:
		return r.answer, r.err
	case <-ctx.Done():
		return logwire.AppendAnswer{}, ctx.Err()
	}
}

// check looks at the whole batch, and at nothing that is stored.
func (s *Store) check(batch []byte) (head logwire.BatchHead, records []byte, err error) {
	if head, records, err = logwire.ParseBatchHead(batch); err != nil {
		return head, nil, err
	}
	now := s.o.Now()
	oldest, newest := now.Add(-s.o.MaxRecordAge).UnixNano(), now.Add(s.o.MaxRecordAhead).UnixNano()
	err = logwire.CheckRecords(records, head.Count, func(v *logwire.View) error {
		if v.Time >= oldest && v.Time <= newest {
			return nil
		}
		return logwire.CheckTime(v.Time, now, s.o.MaxRecordAge, s.o.MaxRecordAhead)
	})
	return head, records, err
}

// admit puts r into the queue if the disk and the bounds allow it.
func (s *Store) admit(r *request) error {
	if err := s.space.readOnly(); err != nil {
		return err
	}
	if s.unsealed.bytes.Load()+int64(len(r.records)) > s.o.UnsealedBytes && s.unsealed.bytes.Load() > 0 {
		s.wakeSealer()
		s.counts.busy.Add(1)
		return fmt.Errorf("%w: the sealer has to catch up", ErrBusy)
	}
	err := s.queue.put(r)
	if err == ErrBusy {
		s.counts.busy.Add(1)
	}
	return err
}
