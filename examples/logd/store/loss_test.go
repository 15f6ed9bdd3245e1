package store

import (
	"context"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// withoutKeys removes keys behind the store's back.
func withoutKeys(t testing.TB, fs vfs.FS, keys ...[]byte) {
	t.Helper()
	db, err := pebble.Open("data/db", &pebble.Options{FS: fs, Logger: quiet{}, FormatMajorVersion: pebble.FormatNewest})
	require.NoError(t, err)
	for _, key := range keys {
		require.NoError(t, db.Delete(key, pebble.Sync))
	}
	require.NoError(t, db.Close())
}

// TestMissingRecordsAreToldOf: in the middle, at the end, and of everything.
func TestMissingRecordsAreToldOf(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs, nil)
	for sequence := range uint64(6) { // ids 1 to 60; the first 20 sealed
		mustAppend(t, s, batch(1, 1, sequence+1, 10))
		if sequence == 1 {
			require.NoError(t, s.Seal(context.Background()))
		}
	}
	require.NoError(t, s.Close())
	withoutKeys(t, fs, numberKey(keyBlock, 8), numberKey(keyUnsealed, 31), numberKey(keyUnsealed, 51))
	want := &LossError{Missing: []Range{{8, 15}, {31, 41}, {51, 61}}}

	_, err := Open("data", small(fs))
	var loss *LossError
	require.ErrorAs(t, err, &loss)
	require.Equal(t, want, loss)
	require.Equal(t, "store: acknowledged records are missing, with the ids 8 to 14, 31 to 40, 51 to 60", loss.Error())

	accepting := small(fs)
	accepting.AcceptLoss = true
	s, err = Open("data", accepting)
	require.NoError(t, err)
	require.Equal(t, uint64(61), s.Head(), "lost ids are not used again")
	mustAppend(t, s, batch(1, 1, 7, 10))
	require.NoError(t, s.Close())

	s = open(t, fs, nil) // accepted once is accepted for ever
	check := func() {
		t.Helper()
		for _, back := range []bool{false, true} {
			var g got
			end := s.Query(context.Background(), nil, logwire.QueryRequest{Limit: 1000, NewestFirst: back}, g.emit)
			require.Equal(t, "end", end.Reason)
			require.Equal(t, int64(27), end.Plan.Lost)
			require.Len(t, g.ids, 43)
		}
		var missing []Range
		require.NoError(t, s.Verify(context.Background(), func(r BlockReport) {
			if r.Err != nil {
				missing = append(missing, r.IDs)
			}
		}))
		require.Equal(t, want.Missing, missing)
	}
	check()
	require.NoError(t, s.Seal(context.Background()))
	require.Zero(t, s.Stats().Unsealed)
	check()
}

func TestALostDatabaseIsNotTakenForANewOne(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs, nil)
	mustAppend(t, s, batch(1, 1, 1, 10))
	require.NoError(t, s.Close())
	require.NoError(t, fs.RemoveAll("data/db"))
	_, err := Open("data", small(fs))
	require.Equal(t, &LossError{Missing: []Range{{1, 11}}}, lossOf(err))
}

func lossOf(err error) *LossError {
	var loss *LossError
	errors.As(err, &loss)
	return loss
}

func TestADirectoryOfSomethingElseIsRefused(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs, nil)
	mustAppend(t, s, batch(1, 1, 1, 10))
	require.NoError(t, s.Close())
	withoutKeys(t, fs, []byte{keyNext})
	_, err := Open("data", small(fs))
	require.ErrorIs(t, err, ErrFormat)
}
