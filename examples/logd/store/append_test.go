package store

import (
	"context"
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

// TestWhatWasStoredIsAcknowledgedWhateverItsTimeIsNow: a producer that has not had the answer sends the batch again, and by then its records
// may be too old. Told that they are refused it would count them as lost, and might give their number to others.
func TestWhatWasStoredIsAcknowledgedWhateverItsTimeIsNow(t *testing.T) {
	now := epochTime
	s := open(t, vfs.NewMem(), func(o *Options) {
		o.MaxRecordAge = time.Hour
		o.Now = func() time.Time { return now }
	})
	mustAppend(t, s, batch(1, 1, 1, 3))
	now = now.Add(2 * time.Hour)
	require.Equal(t, logwire.AppendAnswer{Mark: 1}, mustAppend(t, s, batch(1, 1, 1, 3)))
	_, err := s.Append(context.Background(), batch(1, 1, 2, 3))
	require.ErrorIs(t, err, logwire.ErrTime)
	_, err = s.Append(context.Background(), batch(1, 1, 3, 3))
	require.Equal(t, &logwire.GapError{Expected: 2}, err)
	require.EqualValues(t, 4, s.Head())
	stats := s.Stats()
	require.Equal(t, [...]int64{1, 1, 1}, [...]int64{stats.Repeated, stats.Refused, stats.Gaps})
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
