package store

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

func TestAFullDiskRefusesAppendsAndRecoversByItself(t *testing.T) {
	const least = 1000 << 20
	var free atomic.Uint64
	free.Store(least)
	s := open(t, vfs.NewMem(), func(o *Options) {
		o.MinFree, o.FreeSpace = least, func(string) (uint64, error) { return free.Load(), nil }
	})
	tick := func(n uint64) {
		free.Store(n)
		require.NoError(t, s.ask(context.Background(), func() error { s.tick(&upkeepState{}, epochTime); return nil }))
	}
	sequence := uint64(0)
	accepts := func() {
		t.Helper()
		sequence++
		mustAppend(t, s, batch(1, 1, sequence, 1))
	}
	refuses := func() {
		t.Helper()
		_, err := s.Append(context.Background(), batch(1, 1, sequence+1, 1))
		var readOnly *logwire.ReadOnlyError
		require.ErrorAs(t, err, &readOnly)
		require.Equal(t, readOnly.Reason, s.Stats().ReadOnly)
	}
	accepts()
	tick(least - 1)
	refuses()
	require.Equal(t, "the disk has 999 MiB free, and 1100 MiB are needed", s.Stats().ReadOnly)
	head := s.Head()
	tick(least + least/10 - 1)
	refuses()
	require.Equal(t, head, s.Head())
	var g got
	s.Query(context.Background(), nil, logwire.QueryRequest{}, g.emit)
	require.Len(t, g.ids, 1, "queries go on")
	require.NoError(t, s.Seal(context.Background()), "and so does sealing")
	tick(least + least/10)
	accepts()
	require.Empty(t, s.Stats().ReadOnly)
}

func TestTheFreeSpaceIsLookedAtWhenMuchIsWritten(t *testing.T) {
	var looks atomic.Int64
	s := open(t, vfs.NewMem(), func(o *Options) {
		o.FreeSpace = func(string) (uint64, error) { return 1 << 40, errors.Join(nil, count(&looks)) }
	})
	before := looks.Load()
	s.space.wrote(spaceStride - 1)
	require.Equal(t, before, looks.Load())
	s.space.wrote(1)
	require.Equal(t, before+1, looks.Load())
}

func count(n *atomic.Int64) error {
	n.Add(1)
	return nil
}

func TestAnUnknownFreeSpaceIsEnough(t *testing.T) {
	s := open(t, vfs.NewMem(), func(o *Options) {
		o.FreeSpace = func(string) (uint64, error) { return 0, errors.New("unknown") }
	})
	mustAppend(t, s, batch(1, 1, 1, 1))
	require.Zero(t, s.Stats().FreeBytes)
}
