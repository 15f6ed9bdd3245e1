package logclient_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/internal/files"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// slowDisk waits at each sync of a segment until gate is closed.
type slowDisk struct {
	*files.Mem
	gate chan struct{}
}

func (d slowDisk) Create(name string) (files.File, error) {
	f, err := d.Mem.Create(name)
	if err == nil && strings.HasSuffix(name, ".spool") {
		f = slowFile{f, d.gate}
	}
	return f, err
}

type slowFile struct {
	files.File
	gate chan struct{}
}

func (f slowFile) Sync() error {
	<-f.gate
	return f.File.Sync()
}

// A batch that is acknowledged while those before it are still being written to the spool, and are acknowledged too, goes from
// memory, and not one of those.
func TestAcknowledgedBehindSpilling(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		release := make(chan struct{})
		f.before = func(logwire.BatchHead) error {
			<-release
			return nil
		}
		disk := slowDisk{files.NewMem(-1), make(chan struct{})}
		o := spooled(disk)
		o.QueueRecords = 100
		c := newClient(t, f, o)
		want := logAll(t, c, 0, 60)
		synctest.Wait() // The keeper writes them.
		want = append(want, logAll(t, c, 60, 30)...)
		synctest.Wait()
		require.Zero(t, c.Stats().Spooled)
		close(release)
		synctest.Wait()
		require.EqualValues(t, 90, c.Stats().Acknowledged)
		want = append(want, logAll(t, c, 90, 5)...)
		close(disk.gate)
		require.NoError(t, c.Sync(context.Background()))
		synctest.Wait()
		require.Zero(t, c.Stats().MemoryBytes)
		l := finish(t, c).Ledger
		require.Zero(t, l.Pending())
		require.EqualValues(t, 95, l.Acknowledged)
		require.Zero(t, l.Renumbered)
		require.Equal(t, want, f.messages())
	})
}

// Close that ends the sender just after the keeper has found nothing to do has what is in memory written to the spool all the same.
func TestCloseAfterLook(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		f.away = true
		var once sync.Once
		looked := make(chan struct{})
		c := newClient(t, f, logclient.WithWorked(spooled(files.NewMem(-1)), func() {
			once.Do(func() { <-looked })
		}))
		logAll(t, c, 0, 5)
		synctest.Wait() // The keeper has looked.
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		closed := make(chan logclient.Left, 1)
		go func() {
			left, _ := c.Close(ctx)
			closed <- left
		}()
		synctest.Wait() // Close waits for the keeper.
		close(looked)
		left := <-closed
		require.Zero(t, left.Dropped)
		require.EqualValues(t, 5, left.Spooled)
	})
}

// A batch of which nothing is left after a refusal is resolved at once, though the connection ends before anything more could be sent, and its number is
// known to be left out.
func TestAllRejectedThenAway(t *testing.T) {
	for _, spool := range []bool{false, true} {
		run(t, func(t *testing.T, f *fake) {
			release := make(chan struct{})
			f.before = func(h logwire.BatchHead) error {
				<-release
				if h.Sequence == 1 {
					return &logwire.FieldError{Field: "batch", Kind: logwire.ErrMalformed, Record: -1}
				}
				f.set(func() { f.away = true })
				return errDie
			}
			o := small
			if spool {
				o = spooled(files.NewMem(-1))
			}
			c := newClient(t, f, o)
			logAll(t, c, 0, 10)
			synced := make(chan error, 1)
			go func() { synced <- c.Sync(context.Background()) }()
			synctest.Wait()
			want := logAll(t, c, 10, 10)
			synctest.Wait() // Both are sent.
			close(release)
			time.Sleep(time.Minute)
			synctest.Wait()
			select {
			case err := <-synced:
				require.NoError(t, err)
			default:
				t.Fatal("nothing is left of what Sync waits for")
			}
			l := c.Stats()
			require.True(t, l.Away)
			require.EqualValues(t, 10, l.Dropped.Rejected)
			require.EqualValues(t, 10, l.Pending())
			f.set(func() { f.away, f.before, f.heads = false, nil, nil })
			require.NoError(t, c.Sync(context.Background()))
			require.Equal(t, want, f.messages())
			require.Len(t, f.heads, 1, "the collector need not refuse it for the gap")
			require.EqualValues(t, 1, finish(t, c).Ledger.Renumbered)
		})
	}
}

// Batches of the spool that were refused for now, with one of memory behind them whose answer is still to come, are not taken for damaged.
func TestRefusedBeforeMemory(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		f.away = true
		c := newClient(t, f, spooled(files.NewMem(-1)))
		want := logAll(t, c, 0, 30)
		time.Sleep(time.Minute)
		require.EqualValues(t, 30, c.Stats().Spooled)
		second, fourth := make(chan struct{}), make(chan struct{})
		n := 0
		f.set(func() {
			f.away, f.before = false, func(logwire.BatchHead) error {
				switch n++; n {
				case 2:
					<-second
					return errBusy
				case 4:
					<-fourth
				}
				return nil
			}
		})
		time.Sleep(15 * time.Second) // less than an answer may take
		require.EqualValues(t, 20, c.Stats().Spooled)
		want = append(want, logAll(t, c, 30, 10)...)
		synctest.Wait() // They are sent from memory.
		close(second)
		synctest.Wait()
		l := c.Stats()
		close(fourth)
		require.EqualValues(t, 20, l.Spooled)
		require.NoError(t, c.Sync(context.Background()))
		require.Equal(t, want, f.messages())
		require.Zero(t, finish(t, c).Ledger.Dropped.Total())
	})
}
