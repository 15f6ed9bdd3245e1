package logclient_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/internal/files"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// Before the first batch of a new epoch is sent the spool's disk knows that those before are acknowledged. Otherwise, when the power is cut
// before the removal of their segment is on the disk, they would be sent again and refused as of an old epoch.
func TestPowerCutAfterNewEpoch(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		disk := files.NewMem(-1)
		f.away = true
		c := newClient(t, f, spooled(disk))
		want := logAll(t, c, 0, 30)
		finish(t, c)
		f.set(func() { f.away = false })
		c = newClient(t, f, spooled(disk))
		want = append(want, logAll(t, c, 30, 30)...)
		require.NoError(t, c.Sync(context.Background()))
		disk = disk.Restart(true, 0, -1)
		kill(c)
		c = newClient(t, f, spooled(disk))
		want = append(want, logAll(t, c, 60, 30)...)
		require.NoError(t, c.Sync(context.Background()))
		require.Equal(t, want, f.messages())
		require.Zero(t, finish(t, c).Ledger.Renumbered)
	})
}

// Batches that are moved to the spool while they are on their way are sent once.
func TestSlowCollector(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		release := make(chan struct{})
		f.before = func(logwire.BatchHead) error {
			<-release
			return nil
		}
		o := spooled(files.NewMem(-1))
		o.QueueRecords, o.Window = 200, 3
		c := newClient(t, f, o)
		want := logAll(t, c, 0, 60)
		synctest.Wait()
		for i := range 10 {
			want = append(want, logAll(t, c, 60+40*i, 40)...)
			synctest.Wait()
		}
		l := c.Stats()
		require.NotZero(t, l.Spooled)
		requireBalance(t, l)
		close(release)
		require.NoError(t, c.Sync(context.Background()))
		require.Equal(t, want, f.messages())
		l = finish(t, c).Ledger
		require.EqualValues(t, len(want), l.Acknowledged)
		require.Zero(t, l.Repeated)
		require.EqualValues(t, len(want)/10, l.Batches)
	})
}

// What may have been stored is not dropped to make room: the ledger would say that it was lost.
func TestTriedIsNotDropped(t *testing.T) {
	for _, spool := range []bool{false, true} {
		run(t, func(t *testing.T, f *fake) {
			o := small
			if spool {
				o = spooled(files.NewMem(-1))
				o.SpoolBytes = 40 << 10
			}
			o.QueueRecords, o.Policy = 100, logclient.DropOldest
			f.after = func(logwire.BatchHead) error {
				f.set(func() { f.away = true })
				return errDie
			}
			c := newClient(t, f, o)
			logAll(t, c, 0, 50)
			time.Sleep(time.Minute) // The first batch is stored, and nobody knows.
			require.Len(t, f.messages(), 10)
			for i := range 50 {
				for j := range 100 {
					require.NoError(t, c.Log(record(fmt.Sprint("more ", i, j))))
				}
				time.Sleep(time.Second)
			}
			require.NotZero(t, c.Stats().Dropped.Total())
			f.set(func() { f.away, f.after = false, nil })
			require.NoError(t, c.Sync(context.Background()))
			l := finish(t, c).Ledger
			require.EqualValues(t, len(f.messages()), l.Acknowledged)
			require.EqualValues(t, 5050, l.Acknowledged+l.Dropped.Total())
		})
	}
}
