package logclient_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/internal/files"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// small makes batches of 10 records, so that a test has many of them.
var small = logclient.Options{BatchRecords: 10}

// spooled is small with a spool on a disk in memory.
func spooled(disk files.FS) logclient.Options {
	o := small
	o.SpoolDir = "spool"
	return logclient.WithFS(o, disk)
}

// run runs a test in a bubble, with a fake that is stopped in it.
func run(t *testing.T, test func(t *testing.T, f *fake)) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		defer f.stop()
		test(t, f)
	})
}

// finish closes the client, checks the ledger and returns what was left.
func finish(t *testing.T, c *logclient.Client) logclient.Left {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	left, err := c.Close(ctx)
	require.NoError(t, err)
	requireBalance(t, left.Ledger)
	require.Zero(t, left.Ledger.Memory)
	return left
}

// nth returns a hook that calls fail for the nth batch that comes, counted from 1.
func nth(n int, fail func() error) func(logwire.BatchHead) error {
	var seen atomic.Int64
	return func(logwire.BatchHead) error {
		if seen.Add(1) == int64(n) {
			return fail()
		}
		return nil
	}
}

// A connection that breaks at each batch, before or after that was stored, costs no record and stores none twice.
func TestDyingCollector(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 1; n <= 12; n++ {
			run(t, func(t *testing.T, f *fake) {
				if hook := nth(n, func() error { return errDie }); after {
					f.after = hook
				} else {
					f.before = hook
				}
				c := newClient(t, f, small)
				want := logAll(t, c, 0, 120)
				require.NoError(t, c.Sync(context.Background()))
				require.Equal(t, want, f.messages())
				require.EqualValues(t, 2, c.Stats().Connections)
				finish(t, c)
			})
		}
	}
}

// What a collector refuses for now is kept, in its order, and sent again after a pause.
func TestRefusals(t *testing.T) {
	for name, refusal := range map[string]error{
		"busy": errBusy, "read-only": &logwire.ReadOnlyError{Reason: "the disk is full"},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, f *fake) {
				refusals := 0
				f.before = func(h logwire.BatchHead) error {
					if h.Sequence == 3 && refusals < 5 {
						refusals++
						return refusal
					}
					return nil
				}
				c := newClient(t, f, small)
				want := logAll(t, c, 0, 100)
				start := time.Now()
				require.NoError(t, c.Sync(context.Background()))
				require.Greater(t, time.Since(start), time.Millisecond, "there must be pauses")
				require.Equal(t, want, f.messages())
				l := finish(t, c).Ledger
				require.EqualValues(t, 1, l.Connections)
				require.Zero(t, l.Renumbered)
			})
		})
	}
}

// A record that is refused is dropped and counted, and all others are delivered, in memory and from the spool.
func TestRejectedRecords(t *testing.T) {
	bad := func(m string) bool { return strings.HasSuffix(m, "7") || strings.Contains(m, " 3") }
	for _, spool := range []bool{false, true} {
		run(t, func(t *testing.T, f *fake) {
			f.record = func(v *logwire.View) error {
				if bad(string(v.Message)) {
					return &logwire.FieldError{Field: "time", Kind: logwire.ErrTime}
				}
				return nil
			}
			o := small
			if spool {
				o, f.away = spooled(files.NewMem(-1)), true
			}
			c := newClient(t, f, o)
			all := logAll(t, c, 0, 100) // Of one batch, 30 to 39, nothing is left.
			if spool {
				time.Sleep(time.Minute)
				require.EqualValues(t, 100, c.Stats().Spooled)
				f.set(func() { f.away = false })
			}
			require.NoError(t, c.Sync(context.Background()))
			want := slices.DeleteFunc(slices.Clone(all), bad)
			require.Equal(t, want, f.messages())
			l := finish(t, c).Ledger
			require.EqualValues(t, len(all)-len(want), l.Dropped.Rejected)
			require.EqualValues(t, len(want), l.Acknowledged)
			require.NotZero(t, l.Renumbered)
		})
	}
}

// A collector that has lost its marks gets what waits in a new epoch.
func TestGap(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		c := newClient(t, f, small)
		want := logAll(t, c, 0, 50)
		require.NoError(t, c.Sync(context.Background()))
		f.set(func() { clear(f.marks) })
		want = append(want, logAll(t, c, 50, 50)...)
		require.NoError(t, c.Sync(context.Background()))
		require.Equal(t, want, f.messages())
		l := finish(t, c).Ledger
		require.EqualValues(t, 1, l.Renumbered)
		require.Zero(t, l.Dropped.Total())
	})
}

// A producer that was fenced becomes another one: with a higher epoch two copies of a spool would fence each other for ever.
func TestFenced(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		c := newClient(t, f, small)
		want := logAll(t, c, 0, 50)
		require.NoError(t, c.Sync(context.Background()))
		f.set(func() {
			for _, m := range f.marks {
				m.epoch += 7
			}
		})
		want = append(want, logAll(t, c, 50, 50)...)
		require.NoError(t, c.Sync(context.Background()))
		require.Equal(t, want, f.messages())
		require.Len(t, f.marks, 2)
		require.EqualValues(t, 1, finish(t, c).Ledger.Renumbered)
	})
}

// A collector that has a batch which was never sent has it from another process, that of a copied machine for instance. It is none of ours, and
// those behind it may be neither.
func TestForeignBatches(t *testing.T) {
	for _, o := range []logclient.Options{small, spooled(files.NewMem(-1))} {
		for _, dies := range []bool{false, true} {
			run(t, func(t *testing.T, f *fake) {
				c := newClient(t, f, o)
				want := logAll(t, c, 0, 50)
				require.NoError(t, c.Sync(context.Background()))
				f.set(func() {
					for _, m := range f.marks {
						m.sequence += 3
					}
					if dies {
						f.before = nth(3, func() error { return errDie })
					}
				})
				want = append(want, logAll(t, c, 50, 50)...)
				require.NoError(t, c.Sync(context.Background()))
				for _, m := range want {
					require.Contains(t, f.messages(), m)
				}
				require.Len(t, f.marks, 2)
				require.EqualValues(t, 1, finish(t, c).Ledger.Renumbered)
			})
		}
	}
}

// A collector that says nothing is taken to be gone after AnswerTimeout.
func TestSilentCollector(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		release := make(chan struct{})
		f.before = nth(3, func() error {
			<-release
			return errDie
		})
		c := newClient(t, f, small)
		want := logAll(t, c, 0, 100)
		start := time.Now()
		require.NoError(t, c.Sync(context.Background()))
		require.GreaterOrEqual(t, time.Since(start), logclient.DefaultAnswerTimeout)
		require.Less(t, time.Since(start), logclient.DefaultAnswerTimeout+time.Second)
		close(release)
		require.Equal(t, want, f.messages())
		finish(t, c)
	})
}

// While the collector is away records wait in the spool, in their order, and memory takes over when it is empty.
func TestAway(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		disk := files.NewMem(-1)
		c := newClient(t, f, spooled(disk))
		want := logAll(t, c, 0, 55)
		require.NoError(t, c.Sync(context.Background()))
		f.goAway()
		for i := range 20 {
			want = append(want, logAll(t, c, len(want), 33)...)
			time.Sleep(time.Duration(i) * 50 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		l := c.Stats()
		requireBalance(t, l)
		require.True(t, l.Away)
		require.EqualValues(t, 660, l.Spooled)
		require.Zero(t, l.Memory)
		f.set(func() { f.away = false })
		want = append(want, logAll(t, c, len(want), 500)...)
		require.NoError(t, c.Sync(context.Background()))
		require.Equal(t, want, f.messages())
		synctest.Wait() // until the keeper has removed the segments
		l = c.Stats()
		require.Zero(t, l.SpoolBytes)
		ops := disk.Ops()
		want = append(want, logAll(t, c, len(want), 500)...)
		require.NoError(t, c.Sync(context.Background()))
		require.Equal(t, ops, disk.Ops(), "memory must have taken over")
		require.Equal(t, want, f.messages())
		finish(t, c)
	})
}

// Close writes to the spool what it cannot deliver, and the next Client delivers it.
func TestCloseAndReopen(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		disk := files.NewMem(-1)
		f.away = true
		var want []string
		for range 5 {
			c := newClient(t, f, spooled(disk))
			require.EqualValues(t, len(want), c.Stats().Recovered)
			_, err := logclient.New(spooled(disk))
			require.ErrorContains(t, err, "in use")
			want = append(want, logAll(t, c, len(want), 123)...)
			left := finish(t, c)
			require.EqualValues(t, len(want), left.Spooled)
			require.Zero(t, left.Dropped)
		}
		f.away = false
		c := newClient(t, f, spooled(disk))
		require.NoError(t, c.Sync(context.Background()))
		require.Equal(t, want, f.messages())
		require.Zero(t, finish(t, c).Ledger.Renumbered)
	})
}

// Without a spool Close drops what it cannot deliver, and says so.
func TestCloseWithoutSpool(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		f.away = true
		c := newClient(t, f, small)
		logAll(t, c, 0, 123)
		synced := make(chan error, 1)
		go func() { synced <- c.Sync(context.Background()) }()
		start := time.Now()
		left := finish(t, c)
		require.Equal(t, time.Hour, time.Since(start))
		require.EqualValues(t, 123, left.Dropped)
		require.EqualValues(t, 123, left.Ledger.Dropped.Closed)
		require.ErrorIs(t, <-synced, logclient.ErrClosed)
	})
}

// The policies drop what they say, and count it.
func TestPolicies(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		f.away = true
		o := small
		o.QueueRecords, o.QueueBytes = 100, 1<<20
		newest := newClient(t, f, o)
		o.Policy = logclient.DropOldest
		oldest := newClient(t, f, o)
		for i := range 150 {
			err := newest.Log(record("n"))
			require.Equal(t, i >= 100, errors.Is(err, logclient.ErrFull), "%d", i)
			require.NoError(t, oldest.Log(record("o")))
			requireBalance(t, newest.Stats())
			requireBalance(t, oldest.Stats())
		}
		require.EqualValues(t, 50, newest.Stats().Dropped.QueueFull)
		require.EqualValues(t, 50, oldest.Stats().Dropped.QueueFull)
		f.set(func() { f.away = false })
		require.EqualValues(t, 100, finish(t, newest).Ledger.Acknowledged)
		require.EqualValues(t, 100, finish(t, oldest).Ledger.Acknowledged)
		require.Len(t, f.messages(), 200)
	})
}

// A full spool is what the policy makes of it, and delivery goes on afterwards.
func TestFullSpool(t *testing.T) {
	for _, policy := range []logclient.Policy{logclient.DropNewest, logclient.DropOldest} {
		run(t, func(t *testing.T, f *fake) {
			f.away = true
			o := spooled(files.NewMem(-1))
			o.SpoolBytes, o.QueueRecords, o.Policy = 64<<10, 200, policy
			c := newClient(t, f, o)
			const n = 5000
			for i := range n {
				_ = c.Log(record(strings.Repeat("x", 100) + " " + string(rune('a'+i%26))))
				if i%50 == 0 {
					time.Sleep(time.Second)
					requireBalance(t, c.Stats())
				}
			}
			l := c.Stats()
			require.LessOrEqual(t, l.SpoolBytes, int64(64<<10))
			require.Greater(t, l.SpoolBytes, int64(40<<10))
			require.NotZero(t, l.Dropped.SpoolFull)
			f.set(func() { f.away = false })
			require.NoError(t, c.Sync(context.Background()))
			l = finish(t, c).Ledger
			require.EqualValues(t, n, l.Acknowledged+l.Dropped.SpoolFull)
			require.Len(t, f.messages(), int(l.Acknowledged))
		})
	}
}

// A disk that fails costs nothing as long as there is room in memory.
func TestFailingDisk(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		disk := files.NewMem(-1)
		f.away = true
		var troubles []logclient.Trouble
		o := spooled(disk)
		o.OnError = func(trouble logclient.Trouble) { troubles = append(troubles, trouble) }
		c := newClient(t, f, o)
		want := logAll(t, c, 0, 100)
		time.Sleep(time.Minute)
		disk.Fail(errors.New("no space left"))
		want = append(want, logAll(t, c, 100, 100)...)
		time.Sleep(time.Minute)
		l := c.Stats()
		requireBalance(t, l)
		require.EqualValues(t, 100, l.Memory)
		disk.Fail(nil)
		time.Sleep(time.Minute)
		require.Zero(t, c.Stats().Memory)
		f.set(func() { f.away = false })
		require.NoError(t, c.Sync(context.Background()))
		require.Equal(t, want, f.messages())
		finish(t, c)
		kinds := map[logclient.Kind]int{}
		for _, trouble := range troubles {
			kinds[trouble.Kind]++
		}
		require.NotZero(t, kinds[logclient.SpoolFailed])
		require.NotZero(t, kinds[logclient.Unreachable])
		require.Less(t, len(troubles), 50, "OnError must be told at a bounded rate")
	})
}

// What Log refuses it counts.
func TestInvalidRecords(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		c := newClient(t, f, logclient.Options{})
		var field *logwire.FieldError
		require.ErrorAs(t, c.Log(logwire.Record{Level: logwire.Info}), &field)
		require.Equal(t, "service", field.Field)
		require.ErrorAs(t, c.Log(logwire.Record{Service: "s", Level: 99}), &field)
		require.ErrorAs(t, c.Log(logwire.Record{Service: "s", Level: logwire.Info, Message: "\xff"}), &field)
		l := finish(t, c).Ledger
		require.EqualValues(t, 3, l.Dropped.Invalid)
		require.Zero(t, f.dials)
	})
}
