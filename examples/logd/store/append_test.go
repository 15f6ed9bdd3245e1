package store

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

func TestIDsFollowEachOtherAndBatchesAreStoredOnce(t *testing.T) {
	fs := vfs.NewMem()
	var committed []uint64
	s := open(t, fs, func(o *Options) {
		o.OnCommit = func(first uint64, count int, records []byte) {
			require.NoError(t, logwire.CheckRecords(records, count, nil))
			committed = append(committed, first)
		}
	})
	require.Equal(t, uint64(1), s.Head())
	require.Equal(t, logwire.AppendAnswer{Stored: true, Mark: 1, FirstID: 1}, mustAppend(t, s, batch(1, 1, 1, 3)))
	require.Equal(t, logwire.AppendAnswer{Stored: true, Mark: 1, FirstID: 4}, mustAppend(t, s, batch(2, 1, 1, 2)))
	require.Equal(t, logwire.AppendAnswer{Stored: true, Mark: 2, FirstID: 6}, mustAppend(t, s, batch(1, 1, 2, 1)))
	require.Equal(t, logwire.AppendAnswer{Mark: 2}, mustAppend(t, s, batch(1, 1, 1, 3)), "sent again")
	require.Equal(t, logwire.AppendAnswer{Mark: 2}, mustAppend(t, s, batch(1, 1, 2, 1)), "sent again")
	require.Equal(t, uint64(7), s.Head())
	require.Equal(t, []uint64{1, 4, 6}, committed)
}

func TestBatchesOutOfSequenceAreRefused(t *testing.T) {
	s := open(t, vfs.NewMem(), func(o *Options) { o.MaxProducers = 2 })
	refused := func(b []byte, want error) {
		t.Helper()
		_, err := s.Append(context.Background(), b)
		require.Equal(t, want, err)
	}
	refused(batch(1, 1, 2, 1), &logwire.GapError{Expected: 1})
	mustAppend(t, s, batch(1, 5, 1, 1))
	refused(batch(1, 5, 3, 1), &logwire.GapError{Expected: 2})
	refused(batch(1, 4, 1, 1), &logwire.FencedError{Epoch: 5})
	refused(batch(1, 6, 2, 1), &logwire.GapError{Expected: 1})
	mustAppend(t, s, batch(1, 6, 1, 1))
	refused(batch(1, 5, 2, 1), &logwire.FencedError{Epoch: 6})
	mustAppend(t, s, batch(2, 1, 1, 1))
	refused(batch(3, 1, 1, 1), &logwire.ReadOnlyError{Reason: "2 producers have a mark, and the limit is 2"})
	require.Equal(t, uint64(4), s.Head())
}

func TestStoredBatchIsAcknowledgedWhenItsTimesAreOutOfRange(t *testing.T) {
	now := epochTime
	s := open(t, vfs.NewMem(), func(o *Options) { o.Now = func() time.Time { return now } })
	mustAppend(t, s, batch(1, 1, 1, 3))
	now = now.Add(logwire.DefaultMaxAge + 48*time.Hour)
	require.Equal(t, logwire.AppendAnswer{Mark: 1}, mustAppend(t, s, batch(1, 1, 1, 3)), "its answer was lost, and it is sent again")
	for range 2 { // A batch that was refused is not its producer's last one.
		_, err := s.Append(context.Background(), batch(1, 1, 2, 3))
		require.ErrorIs(t, err, logwire.ErrTime)
	}
	_, err := s.Append(context.Background(), batch(1, 1, 4, 3))
	require.Equal(t, &logwire.GapError{Expected: 2}, err)
	require.Equal(t, uint64(4), s.Head())
	require.EqualValues(t, 2, s.Stats().Refused)
}

func TestBadInputTouchesNothing(t *testing.T) {
	s := open(t, vfs.NewMem(), nil)
	good := batch(1, 1, 1, 3)
	old := logwire.Record{Time: epochTime.Add(-logwire.DefaultMaxAge - 1).UnixNano(), Level: logwire.Info, Service: "s"}
	late := logwire.Record{Time: epochTime.Add(logwire.DefaultMaxAhead + 1).UnixNano(), Level: logwire.Info, Service: "s"}
	with := func(r logwire.Record) []byte {
		b := logwire.AppendBatchHead(nil, logwire.BatchHead{Producer: producer(1), Epoch: 1, Sequence: 1, Count: 1})
		return logwire.AppendBatchRecord(b, &r)
	}
	for name, bad := range map[string][]byte{
		"cut": good[:len(good)-1], "more": append(append([]byte(nil), good...), 0), "empty": nil, "old": with(old), "ahead": with(late),
	} {
		_, err := s.Append(context.Background(), bad)
		var field *logwire.FieldError
		require.ErrorAs(t, err, &field, name)
	}
	require.Equal(t, uint64(1), s.Head())
	require.Equal(t, uint64(1), mustAppend(t, s, good).FirstID, "the mark has not moved")
	old.Time, late.Time = old.Time+1, late.Time-1
	for i, r := range []logwire.Record{old, late} {
		b := logwire.AppendBatchHead(nil, logwire.BatchHead{Producer: producer(byte(10 + i)), Epoch: 1, Sequence: 1, Count: 1})
		mustAppend(t, s, logwire.AppendBatchRecord(b, &r))
	}
}

// A batch that is sent again when its times are refused by now is acknowledged if it was stored, and otherwise refused
// for its place before it is refused for its times.
func TestTimesAreRefusedOfBatchesAloneThatWereNotStored(t *testing.T) {
	for name, passed := range map[string]time.Duration{
		"too old by now": logwire.DefaultMaxAge + time.Hour, "ahead of a clock that was set back": -logwire.DefaultMaxAhead - time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			now := epochTime
			s := open(t, vfs.NewMem(), func(o *Options) { o.Now, o.MarkAge = func() time.Time { return now }, -1 })
			mustAppend(t, s, batch(1, 2, 1, 3))
			now = now.Add(passed)
			require.Equal(t, logwire.AppendAnswer{Mark: 1}, mustAppend(t, s, batch(1, 2, 1, 3)))

			_, err := s.Append(context.Background(), batch(1, 2, 3, 1))
			require.Equal(t, &logwire.GapError{Expected: 2}, err)
			_, err = s.Append(context.Background(), batch(1, 1, 1, 1))
			require.Equal(t, &logwire.FencedError{Epoch: 2}, err)

			timely := record(1, 2, 2, 0)
			timely.Time = now.UnixNano()
			second := logwire.AppendBatchHead(nil, logwire.BatchHead{Producer: producer(1), Epoch: 2, Sequence: 2, Count: 3})
			second = logwire.AppendBatchRecord(second, &timely)
			untimely := record(1, 2, 2, 1)
			second = logwire.AppendBatchRecord(second, &untimely)
			_, err = s.Append(context.Background(), logwire.AppendBatchRecord(second, &untimely))
			var field *logwire.FieldError
			require.ErrorAs(t, err, &field)
			require.Equal(t, 1, field.Record, "the first of them")
			require.Equal(t, logwire.ErrTime, field.Kind)

			stats := s.Stats()
			require.Equal(t, []int64{1, 2, 1, 3}, []int64{stats.Repeated, stats.Gaps, stats.Refused, stats.Appended})
			rest := logwire.AppendBatchHead(nil, logwire.BatchHead{Producer: producer(1), Epoch: 2, Sequence: 2, Count: 1})
			require.True(t, mustAppend(t, s, logwire.AppendBatchRecord(rest, &timely)).Stored, "the mark has not moved")
		})
	}
}

func TestWithoutBoundsAnyTimeIsAccepted(t *testing.T) {
	s := open(t, vfs.NewMem(), func(o *Options) { o.MaxRecordAge, o.MaxRecordAhead = -1, -1 })
	oldest, newest := s.o.accepted(epochTime.UnixNano())
	require.Equal(t, []int64{math.MinInt64, math.MaxInt64}, []int64{oldest, newest})
	for i, at := range []int64{math.MinInt64, -1, 0, math.MaxInt64} {
		b := logwire.AppendBatchHead(nil, logwire.BatchHead{Producer: producer(1), Epoch: 1, Sequence: uint64(i + 1), Count: 1})
		r := logwire.Record{Time: at, Level: logwire.Info, Service: "s"}
		mustAppend(t, s, logwire.AppendBatchRecord(b, &r))
	}
}

func TestAStoreGoesOnWhereItEnded(t *testing.T) {
	fs := vfs.NewMem()
	for i := range uint64(3) {
		s, err := Open("data", small(fs))
		require.NoError(t, err)
		require.Equal(t, 1+2*i, s.Head())
		if i > 0 {
			require.False(t, mustAppend(t, s, batch(1, 1, i, 2)).Stored)
		}
		require.Equal(t, 1+2*i, mustAppend(t, s, batch(1, 1, i+1, 2)).FirstID)
		require.NoError(t, s.Close())
		require.NoError(t, s.Close(), "a second time")
		_, err = s.Append(context.Background(), batch(1, 1, i+2, 2))
		require.ErrorIs(t, err, ErrClosed)
	}
}

func TestOneProcessPerDirectory(t *testing.T) {
	fs := vfs.NewMem()
	open(t, fs, nil)
	_, err := Open("data", small(fs))
	require.ErrorIs(t, err, ErrLocked)
}

func TestMarksOfSilentProducersAreForgotten(t *testing.T) {
	fs, now := vfs.NewMem(), epochTime
	change := func(o *Options) { o.Now = func() time.Time { return now } }
	s := open(t, fs, change)
	mustAppend(t, s, batch(1, 1, 1, 1))
	now = now.Add(DefaultMarkAge)
	mustAppend(t, s, batch(2, 1, 1, 1))
	require.NoError(t, s.expireMarks(context.Background()))
	require.False(t, mustAppend(t, s, batch(1, 1, 1, 1)).Stored, "not older than that yet")
	now = now.Add(1)
	require.NoError(t, s.expireMarks(context.Background()))
	_, err := s.Append(context.Background(), batch(1, 1, 2, 1))
	require.Equal(t, &logwire.GapError{Expected: 1}, err)
	require.False(t, mustAppend(t, s, batch(2, 1, 1, 1)).Stored)
	require.NoError(t, s.Close())
	again, err := Open("data", small(fs))
	require.NoError(t, err)
	defer again.Close()
	require.Equal(t, int64(1), again.Stats().Producers)
}

func TestACallerThatGivesUpLeavesTheBatchToTheStore(t *testing.T) {
	s := open(t, vfs.NewMem(), nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := s.Append(ctx, batch(1, 1, 1, 1))
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, uint64(1), mustAppend(t, s, batch(1, 1, 1, 1)).FirstID, "given up before it was taken")
}
