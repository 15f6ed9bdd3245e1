package store

import (
	"context"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
)

// followed calls Follow for everything, and returns the ids of what it emitted and of what it passed over. Together they
// must be all ids, in their order.
func followed(t *testing.T, s *Store, each func(id uint64)) (emitted, passed int) {
	next := uint64(1)
	end, err := s.Follow(context.Background(), nil, 1, s.Head(), func(id uint64, _ []byte) error {
		require.Equal(t, next, id)
		next++
		emitted++
		each(id)
		return nil
	}, func(first, end uint64) {
		require.Equal(t, next, first)
		require.Less(t, first, end)
		next = end
		passed += int(end - first)
	})
	require.NoError(t, err)
	require.Equal(t, s.Head(), end)
	require.Equal(t, s.Head(), next)
	return emitted, passed
}

func TestFollowTellsWhatItPassesOver(t *testing.T) {
	nothing := func(uint64) {}
	t.Run("nothing", func(t *testing.T) {
		s := open(t, vfs.NewMem(), nil)
		messages := fill(t, s)
		emitted, passed := followed(t, s, nothing)
		require.Equal(t, len(messages), emitted)
		require.Zero(t, passed)
	})
	t.Run("what has expired, and a file that is gone", func(t *testing.T) {
		s := open(t, vfs.NewMem(), nil)
		messages := fill(t, s)
		files := s.files.all()
		require.Len(t, files, 2)
		require.NoError(t, s.forget(files[:1]))
		require.NoError(t, s.fs.Remove(s.filePath(files[1].day, files[1].number)))
		emitted, passed := followed(t, s, nothing)
		require.Equal(t, int(files[1].ids.End-1), passed)
		require.Equal(t, len(messages)-passed, emitted)
	})
	t.Run("what expires meanwhile", func(t *testing.T) {
		s := open(t, vfs.NewMem(), nil)
		messages := fill(t, s)
		files := s.files.all()
		emitted, passed := followed(t, s, func(id uint64) {
			if id == 10 {
				require.NoError(t, s.forget(files))
				require.NoError(t, s.removeFiles(files))
			}
		})
		require.Positive(t, passed)
		require.Equal(t, len(messages), emitted+passed)
	})
	t.Run("no further than it is asked for", func(t *testing.T) {
		s := open(t, vfs.NewMem(), nil)
		fill(t, s)
		files := s.files.all()
		require.NoError(t, s.forget(files))
		const to = uint64(7)
		require.Greater(t, s.First(), to)
		emit := func(uint64, []byte) error { return nil }
		var passed []Range
		next, err := s.Follow(context.Background(), nil, 2, to, emit, func(first, end uint64) { passed = append(passed, Range{first, end}) })
		require.NoError(t, err)
		require.Equal(t, []Range{{2, to}}, passed)
		require.Equal(t, to, next)
	})
	t.Run("what was lost", func(t *testing.T) {
		s := open(t, vfs.NewMem(), nil)
		fill(t, s)
		require.NoError(t, s.db.Delete(numberKey(keyUnsealed, s.Head()-5), nil), "the last batch")
		_, passed := followed(t, s, nothing)
		require.Equal(t, 5, passed)
	})
}
