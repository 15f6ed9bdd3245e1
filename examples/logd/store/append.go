package store

import (
	"context"
	"fmt"
	"math"
	"time"

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
	r, err := s.check(batch)
	if err != nil {
		s.counts.refused.Add(1)
		return logwire.AppendAnswer{}, err
	}
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

// check looks at the whole batch, and at nothing that is stored. A time that is refused is left to the committer: it
// knows whether the batch was stored while the time was acceptable.
func (s *Store) check(batch []byte) (*request, error) {
	head, records, err := logwire.ParseBatchHead(batch)
	if err != nil {
		return nil, err
	}
	r := &request{head: head, records: records, done: make(chan struct{})}
	now := s.o.Now()
	oldest, newest := s.o.accepted(now.UnixNano())
	i := 0
	err = logwire.CheckRecords(records, head.Count, func(v *logwire.View) error {
		if r.untimely == nil && (v.Time < oldest || v.Time > newest) {
			r.untimely = untimely(v.Time, i, now, s.o)
		}
		i++
		return nil
	})
	return r, err
}

// accepted returns the first and the last time that is accepted at now, all in Unix nanoseconds. Without a bound it is the
// first or last that a record can have.
func (o Options) accepted(now int64) (oldest, newest int64) {
	oldest, newest = now-int64(o.MaxRecordAge), now+int64(o.MaxRecordAhead)
	if o.MaxRecordAge == math.MaxInt64 {
		oldest = math.MinInt64
	}
	if newest < now {
		newest = math.MaxInt64
	}
	return oldest, newest
}

// untimely returns the refusal of record i for its time, or nil.
func untimely(t int64, i int, now time.Time, o Options) error {
	err := logwire.CheckTime(t, now, o.MaxRecordAge, o.MaxRecordAhead)
	if field, ok := err.(*logwire.FieldError); ok {
		field.Record = i
	}
	return err
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
