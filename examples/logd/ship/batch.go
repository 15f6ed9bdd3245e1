package ship

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/serialkit/serialkit/examples/logd/lines"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// batch is a part of a file as records.
type batch struct {
	end   int64       // the position behind it
	carry lines.Carry // behind it
	counts
	buf     []byte // room for the head, and the records
	starts  []int  // of the records in buf
	times   []int64
	resent  bool // it may have been sent before
	dropped int64
}

// records is how many records are in it; a part of blank lines alone has none.
func (b *batch) records() int { return len(b.starts) }

// add adds a record.
func (b *batch) add(r *logwire.Record) {
	if b.buf == nil {
		b.buf = make([]byte, logwire.BatchHeadSize, 64<<10)
	}
	b.starts = append(b.starts, len(b.buf))
	b.times = append(b.times, r.Time)
	b.buf = logwire.AppendBatchRecord(b.buf, r)
}

// encoded returns the batch with its head.
func (b *batch) encoded(h logwire.BatchHead) []byte {
	h.Count = b.records()
	logwire.AppendBatchHead(b.buf[:0], h)
	return b.buf
}

// drop removes the record that the collector has refused, and returns how many were removed: if it was refused for its time,
// all that were to be refused one by one for the same reason. It returns 0 if the error names no record.
func (b *batch) drop(refused *logwire.FieldError, now time.Time) int64 {
	i := refused.Record
	if i < 0 || i >= b.records() {
		return 0
	}
	refuse := func(n int) bool { return n == i }
	if errors.Is(refused, logwire.ErrTime) {
		at, present := b.times[i], now.UnixNano()
		byDefault := badTime(at, now)
		refuse = func(n int) bool {
			t := b.times[n]
			if n == i || (at < present) != (t < present) { // One that is too new says nothing of those that are old.
				return n == i
			}
			return byDefault && badTime(t, now) || at < present && t <= at || at > present && t >= at
		}
	}
	return b.remove(refuse)
}

func badTime(t int64, now time.Time) bool {
	return logwire.CheckTime(t, now, logwire.DefaultMaxAge, logwire.DefaultMaxAhead) != nil
}

// remove removes the records that refuse is true for.
func (b *batch) remove(refuse func(n int) bool) (removed int64) {
	buf, starts, times := b.buf[:logwire.BatchHeadSize], b.starts[:0], b.times[:0]
	for n, start := range b.starts {
		if refuse(n) {
			removed++
			continue
		}
		size := logwire.RecordPrefix + int(binary.BigEndian.Uint32(b.buf[start:]))
		at := b.times[n]
		starts, times = append(starts, len(buf)), append(times, at)
		buf = append(buf, b.buf[start:start+size]...)
	}
	b.buf, b.starts, b.times = buf, starts, times
	b.dropped += removed
	return removed
}
