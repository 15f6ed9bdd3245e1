package store

import (
	"context"
	"path"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// expireNow lets the upkeep goroutine expire.
func expireNow(t testing.TB, s *Store) {
	t.Helper()
	require.NoError(t, s.ask(context.Background(), func() error { return s.expire(s.o.Now()) }))
}

func list(t testing.TB, fs vfs.FS, dir string) []string {
	t.Helper()
	names, err := fs.List(dir)
	require.NoError(t, err)
	return names
}

func TestRecordsExpireWithTheirDay(t *testing.T) {
	fs, now := vfs.NewMem(), epochTime
	s := open(t, fs, func(o *Options) {
		o.Now, o.KeepAge = func() time.Time { return now }, 24*time.Hour
	})
	for sequence := range uint64(3) { // one batch a day, two sealed
		mustAppend(t, s, batch(1, 1, sequence+1, 10))
		if sequence < 2 {
			require.NoError(t, s.Seal(context.Background()))
		}
		now = now.Add(24 * time.Hour)
	}
	now = dayOf(epochTime.UnixNano()).end().Add(24 * time.Hour)
	expireNow(t, s)
	require.Equal(t, uint64(1), s.First(), "not a nanosecond early")
	require.Equal(t, 2, s.Stats().Days)
	now = now.Add(1)
	expireNow(t, s)
	require.Equal(t, uint64(11), s.First())
	require.NotContains(t, list(t, fs, "data"), "2026-03-14")
	require.Equal(t, []string{fileName(2)}, list(t, fs, "data/2026-03-15"))
	var g got
	end := s.Query(context.Background(), nil, logwire.QueryRequest{Cursor: 5}, g.emit)
	require.Equal(t, "end", end.Reason)
	require.Zero(t, end.Plan.Lost)
	require.Len(t, g.ids, 20)
	stats := s.Stats()
	require.Equal(t, int64(10), stats.Expired)
	require.Equal(t, int64(20), stats.Records)

	now = now.Add(1000 * time.Hour)
	expireNow(t, s)
	require.Equal(t, uint64(21), s.First(), "what is not sealed does not expire")
	require.NoError(t, s.Close())
	again, err := Open("data", Options{FS: fs, Now: s.o.Now, FreeSpace: plenty, MemTable: 256 << 10})
	require.NoError(t, err)
	defer again.Close()
	require.Equal(t, uint64(21), again.First())
	require.Equal(t, uint64(31), again.Head())
}

func TestTheOldestFilesGoWhenTheyAreTooLarge(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs, nil)
	for sequence := range uint64(4) {
		mustAppend(t, s, batch(1, 1, sequence+1, 10))
		require.NoError(t, s.Seal(context.Background()))
	}
	files := s.files.all()
	s.o.KeepBytes = files[1].size + files[2].size + files[3].size
	expireNow(t, s)
	require.Equal(t, uint64(11), s.First())
	require.Equal(t, s.o.KeepBytes, s.Stats().BlockBytes)
	expireNow(t, s)
	require.Equal(t, uint64(11), s.First())
	s.o.KeepBytes--
	expireNow(t, s)
	require.Equal(t, uint64(21), s.First())
	s.o.KeepBytes = 0
	expireNow(t, s)
	require.Equal(t, s.Head(), s.First())
	require.NoError(t, s.Close())

	again := open(t, fs, nil)
	require.Equal(t, uint64(41), again.Head(), "ids are never used again, even if nothing is left")
	require.Equal(t, uint64(41), again.First())
	mustAppend(t, again, batch(1, 1, 5, 1))
	require.NoError(t, again.Seal(context.Background()))
	require.Equal(t, uint64(5), again.files.all()[0].number, "nor are file numbers")
}

func TestWhatACrashHasLeftIsRemovedAndNothingElse(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs, nil)
	mustAppend(t, s, batch(1, 1, 1, 10))
	require.NoError(t, s.Seal(context.Background()))
	require.NoError(t, s.Close())
	write := func(name string) {
		require.NoError(t, fs.MkdirAll(path.Dir(name), 0o755))
		f, err := fs.Create(name, writeCategory)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	write("data/2026-03-14/" + fileName(2))
	write("data/2026-03-14/notes.txt")
	write("data/2026-03-13/" + fileName(3))
	write("data/other/" + fileName(3))
	write("data/2026-03-1/" + fileName(3))
	open(t, fs, nil)
	require.ElementsMatch(t, []string{fileName(1), "notes.txt"}, list(t, fs, "data/2026-03-14"))
	require.NotContains(t, list(t, fs, "data"), "2026-03-13")
	for _, name := range []string{"other", "2026-03-1"} {
		require.Equal(t, []string{fileName(3)}, list(t, fs, "data/"+name))
	}
}

func TestAScanSkipsWhatExpiresBelowIt(t *testing.T) {
	s := open(t, vfs.NewMem(), func(o *Options) { o.KeepBytes = -1 })
	for sequence := range uint64(3) {
		mustAppend(t, s, batch(1, 1, sequence+1, 20))
		require.NoError(t, s.Seal(context.Background()))
	}
	for _, back := range []bool{false, true} {
		var g got
		end := s.Query(context.Background(), nil, logwire.QueryRequest{Limit: 1000, NewestFirst: back}, func(id uint64, record []byte) error {
			if len(g.ids) == 0 {
				s.o.KeepBytes = s.Stats().BlockBytes - 1
				expireNow(t, s)
			}
			return g.emit(id, record)
		})
		require.Equal(t, "end", end.Reason)
		require.Zero(t, end.Plan.Corrupt)
		require.Zero(t, end.Plan.Lost)
	}
	require.Equal(t, uint64(41), s.First())
	require.Zero(t, s.Stats().Corrupt)
}
