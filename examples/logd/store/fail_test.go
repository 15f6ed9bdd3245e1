package store

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// faulty is a file system whose operations fail as fail says.
func faulty(fs vfs.FS, fail func(op errorfs.Op) error) vfs.FS {
	return errorfs.Wrap(fs, errorfs.InjectorFunc(fail))
}

func TestAFailedSyncEndsTheStoreAndLosesNothing(t *testing.T) {
	broken := errors.New("the disk is broken")
	for name, fails := range map[string]func(op errorfs.Op) bool{
		"sync of the log":  func(op errorfs.Op) bool { return op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData },
		"write of the log": func(op errorfs.Op) bool { return op.Kind == errorfs.OpFileWrite },
		"the witness":      func(op errorfs.Op) bool { return op.Kind == errorfs.OpFileWriteAt },
	} {
		t.Run(name, func(t *testing.T) {
			var failing, fatal atomic.Bool
			var calls, late atomic.Int64
			disk := vfs.NewCrashableMem()
			fs := faulty(disk, func(op errorfs.Op) error {
				if fatal.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite && op.Kind != errorfs.OpFileClose {
					late.Add(1)
				}
				if failing.Load() && (strings.HasSuffix(op.Path, ".log") || strings.HasSuffix(op.Path, witnessName)) && fails(op) {
					return broken
				}
				return nil
			})
			options := small(fs)
			options.OnFatal = func(err error) {
				calls.Add(1)
				fatal.Store(true)
				if !errors.Is(err, ErrFailed) {
					t.Errorf("%v is not ErrFailed", err)
				}
			}
			s, err := Open("data", options)
			require.NoError(t, err)
			for p := range byte(8) {
				mustAppend(t, s, batch(p, 1, 1, 5))
			}
			failing.Store(true)
			var wait sync.WaitGroup
			for n := range byte(16) { // each batch twice: what is not durable is not acknowledged as stored before either
				wait.Go(func() {
					if _, err := s.Append(context.Background(), batch(n%8, 1, 2, 5)); !errors.Is(err, ErrFailed) {
						t.Errorf("%v is not ErrFailed", err)
					}
				})
			}
			wait.Wait()
			failing.Store(false)
			_, err = s.Append(context.Background(), batch(1, 1, 3, 5))
			require.ErrorIs(t, err, ErrFailed, "for ever, although the disk would do it again")
			require.ErrorIs(t, s.Seal(context.Background()), ErrFailed)
			require.Equal(t, uint64(41), s.Head())
			require.ErrorIs(t, s.Close(), ErrFailed)
			require.Equal(t, int64(1), calls.Load())
			require.Zero(t, late.Load(), "operations that change something after OnFatal")

			again := open(t, disk.CrashClone(vfs.CrashCloneCfg{}), nil)
			require.GreaterOrEqual(t, again.Head(), uint64(41))
			var g got
			_, err = again.Scan(context.Background(), nil, 1, 41, g.emit)
			require.NoError(t, err)
			require.Len(t, g.ids, 40)
		})
	}
}

func TestAFullDiskFailsSealingAndNothingElse(t *testing.T) {
	var full atomic.Bool
	disk := vfs.NewMem()
	s := open(t, faulty(disk, func(op errorfs.Op) error {
		if full.Load() && op.Kind == errorfs.OpFileWrite && strings.HasSuffix(op.Path, ".blk") {
			return syscall.ENOSPC
		}
		return nil
	}), nil)
	mustAppend(t, s, batch(1, 1, 1, 30))
	full.Store(true)
	require.ErrorIs(t, s.Seal(context.Background()), syscall.ENOSPC)
	require.Empty(t, list(t, disk, "data/2026-03-14"), "nothing is left of it")
	mustAppend(t, s, batch(1, 1, 2, 30))
	full.Store(false)
	require.NoError(t, s.Seal(context.Background()))
	var g got
	end := s.Query(context.Background(), nil, logwire.QueryRequest{Limit: 1000}, g.emit)
	require.Zero(t, end.Plan.Unsealed)
	require.Len(t, g.ids, 60)
}

func TestTooMuchUnsealedIsBusyUntilItIsSealed(t *testing.T) {
	s := open(t, vfs.NewMem(), func(o *Options) { o.UnsealedBytes = 3000 })
	sequence := uint64(0)
	for {
		sequence++
		_, err := s.Append(context.Background(), batch(1, 1, sequence, 10))
		if err != nil {
			require.ErrorIs(t, err, ErrBusy)
			break
		}
		require.Less(t, s.unsealed.bytes.Load(), int64(3000))
	}
	require.Equal(t, int64(1), s.Stats().Busy)
	require.NoError(t, s.Seal(context.Background()))
	mustAppend(t, s, batch(1, 1, sequence, 10))
}

func TestTheQueueIsBoundedInBytes(t *testing.T) {
	q := newQueue(100)
	request := func(n int) *request { return &request{records: make([]byte, n), done: make(chan struct{})} }
	require.NoError(t, q.put(request(1000)), "one alone is always taken")
	require.ErrorIs(t, q.put(request(1)), ErrBusy)
	require.Len(t, q.take(10), 1, "and always given")
	require.NoError(t, q.put(request(60)))
	require.NoError(t, q.put(request(40)))
	require.ErrorIs(t, q.put(request(1)), ErrBusy)
	require.Len(t, q.take(99), 1)
	q.close(ErrClosed)
	require.ErrorIs(t, q.put(request(1)), ErrClosed)
	require.Len(t, q.take(99), 1)
	require.Empty(t, q.take(99))
}

func TestAMarkerIsCreatedAfterItsDirectoryIsDurable(t *testing.T) {
	disk := vfs.NewCrashableMem()
	fs := newFence(disk)
	require.NoError(t, makeDir(fs, "db"))
	writeFile(t, fs, "db/MANIFEST-000001", []byte{1})
	left := func() []string { return list(t, disk.CrashClone(vfs.CrashCloneCfg{}), "db") }
	require.Empty(t, left())
	f, err := fs.Create("db/marker.manifest.000001.MANIFEST-000001", writeCategory)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Equal(t, []string{"MANIFEST-000001"}, left())
}

// TestAFailedCommitOfSealingEndsTheStore: Pebble says it by its logger alone there, and returns no error.
func TestAFailedCommitOfSealingEndsTheStore(t *testing.T) {
	var failing atomic.Bool
	disk := vfs.NewCrashableMem()
	options := small(faulty(disk, func(op errorfs.Op) error {
		if failing.Load() && strings.HasSuffix(op.Path, ".log") && op.Kind == errorfs.OpFileSyncData {
			return errors.New("the disk is broken")
		}
		return nil
	}))
	var calls atomic.Int64
	options.OnFatal = func(error) { calls.Add(1) }
	s, err := Open("data", options)
	require.NoError(t, err)
	mustAppend(t, s, batch(1, 1, 1, 10))
	failing.Store(true)
	require.ErrorIs(t, s.Seal(context.Background()), ErrFailed)
	require.Equal(t, int64(1), calls.Load())
	_, err = s.Append(context.Background(), batch(1, 1, 2, 10))
	require.ErrorIs(t, err, ErrFailed)
	require.ErrorIs(t, s.Close(), ErrFailed)

	var g got
	again := open(t, disk.CrashClone(vfs.CrashCloneCfg{}), nil)
	require.Equal(t, "end", again.Query(context.Background(), nil, logwire.QueryRequest{}, g.emit).Reason)
	require.Len(t, g.ids, 10)
}
