package store

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// inTime opens a store with its own ticker, in the time of a synctest bubble, which begins at 2000-01-01.
func inTime(t *testing.T, change func(*Options)) *Store {
	o := small(vfs.NewMem())
	o.hooks.manual, o.Now = false, time.Now
	o.MaxRecordAhead = -1
	if change != nil {
		change(&o)
	}
	s, err := Open("data", o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// waits advances the time and lets everything settle.
func waits(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestRecordsAreSealedWhenTheyAreOldEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inTime(t, func(o *Options) { o.SealAge = time.Minute })
		waits(tickEvery / 2)
		mustAppend(t, s, batch(1, 1, 1, 10))
		waits(time.Minute) // the tick after the batch was half a second later
		require.Equal(t, int64(10), s.Stats().Unsealed)
		waits(tickEvery)
		require.Zero(t, s.Stats().Unsealed)
	})
}

func TestRecordsAreSealedAtTheEndOfTheirDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inTime(t, func(o *Options) { o.SealAge = -1 })
		mustAppend(t, s, batch(1, 1, 1, 10))
		waits(24*time.Hour - time.Nanosecond)
		mustAppend(t, s, batch(1, 1, 2, 10))
		require.Equal(t, int64(20), s.Stats().Unsealed)
		waits(2 * tickEvery)
		require.Zero(t, s.Stats().Unsealed)
		mustAppend(t, s, batch(1, 1, 3, 10))
		require.NoError(t, s.Seal(context.Background()))
		require.Equal(t, []string{"2000-01-01", "2000-01-02"}, []string{s.files.all()[0].day.String(), s.files.all()[1].day.String()})
		require.Equal(t, 2, s.Stats().Days)
	})
}

func TestRecordsAreSealedWhenTheyAreMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inTime(t, func(o *Options) { o.SealAge, o.SealBytes = -1, 800 })
		mustAppend(t, s, batch(1, 1, 1, 10))
		synctest.Wait()
		require.Equal(t, int64(10), s.Stats().Unsealed)
		require.Less(t, s.unsealed.bytes.Load(), int64(800))
		mustAppend(t, s, batch(1, 1, 2, 10))
		synctest.Wait()
		require.Zero(t, s.Stats().Unsealed, "at once, not at the next tick")
	})
}

func TestRetentionAndMarksRunByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inTime(t, func(o *Options) { o.SealAge, o.KeepAge, o.MarkAge = time.Minute, 24*time.Hour, 24*time.Hour })
		mustAppend(t, s, batch(1, 1, 1, 10))
		waits(48 * time.Hour)
		require.Equal(t, uint64(1), s.First())
		waits(expireEvery + tickEvery)
		require.Equal(t, uint64(11), s.First())
		require.Zero(t, s.Stats().Producers)
	})
}

func TestAQueryEndsWithTheStore(t *testing.T) {
	s, err := Open("data", small(vfs.NewMem()))
	require.NoError(t, err)
	for sequence := range uint64(3) {
		mustAppend(t, s, batch(1, 1, sequence+1, 1000)) // more blocks than are looked up at once
		require.NoError(t, s.Seal(context.Background()))
	}
	end := s.Query(context.Background(), nil, logwire.QueryRequest{Limit: 10_000}, func(id uint64, _ []byte) error {
		if id == 1 {
			return s.Close()
		}
		return nil
	})
	require.Equal(t, "error", end.Reason)
	require.Equal(t, ErrClosed.Error(), end.Error)
	require.Equal(t, uint64(maxPieces*7+1), end.Cursor)
	require.ErrorIs(t, s.Seal(context.Background()), ErrClosed)
}

func TestACallerThatGivesUpWhileItWaits(t *testing.T) {
	committing, release := make(chan struct{}), make(chan struct{})
	s := open(t, vfs.NewMem(), func(o *Options) {
		o.OnCommit = func(first uint64, _ int, _ []byte) {
			if first == 1 {
				close(committing)
				<-release
			}
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan error)
	go func() {
		_, err := s.Append(ctx, batch(1, 1, 1, 1))
		gone <- err
	}()
	<-committing
	cancel()
	require.ErrorIs(t, <-gone, context.Canceled)
	close(release)
	require.False(t, mustAppend(t, s, batch(1, 1, 1, 1)).Stored, "it was stored all the same")
	require.Equal(t, uint64(2), mustAppend(t, s, batch(1, 1, 2, 1)).FirstID)
}
