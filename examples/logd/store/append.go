package store

import (
	"context"
	"fmt"
	"math"

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
	head, records, oldest, newest, err := s.check(batch)
	if err != nil {
		s.counts.refused.Add(1)
		return logwire.AppendAnswer{}, err
	}
	r := &request{head: head, records: records, refusal: s.checkTimes(head, records, oldest, newest), done: make(chan struct{})}
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

// check looks at the whole batch, and at nothing that is stored. Times are another matter, see checkTimes.
func (s *Store) check(batch []byte) (head logwire.BatchHead, records []byte, oldest, newest int64, err error) {
	if head, records, err = logwire.ParseBatchHead(batch); err != nil {
		return head, nil, 0, 0, err
	}
	oldest, newest = math.MaxInt64, math.MinInt64
	err = logwire.CheckRecords(records, head.Count, func(v *logwire.View) error {
		oldest, newest = min(oldest, v.Time), max(newest, v.Time)
		return nil
	})
	return head, records, oldest, newest, err
}

// checkTimes returns a *logwire.FieldError for the first record whose time is out of range. It comes after the mark:
// what was in range when it was stored is acknowledged, whenever it is sent again.
func (s *Store) checkTimes(head logwire.BatchHead, records []byte, oldest, newest int64) error {
	now := s.o.Now()
	inRange := func(t int64) error { return logwire.CheckTime(t, now, s.o.MaxRecordAge, s.o.MaxRecordAhead) }
	if inRange(oldest) == nil && inRange(newest) == nil {
		return nil
	}
	return logwire.CheckRecords(records, head.Count, func(v *logwire.View) error { return inRange(v.Time) })
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
