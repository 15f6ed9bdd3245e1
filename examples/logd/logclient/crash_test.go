package logclient_test

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/internal/files"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// scenario is a life in which the collector dies, is away, comes back and refuses. It returns what was logged, and what the ledger
// had as spooled or acknowledged in the end.
func scenario(t *testing.T, f *fake, c *logclient.Client, life int) (logged []string, safe uint64) {
	log := func(n int) {
		for range n {
			m := fmt.Sprintf("life %d message %d", life, len(logged))
			require.NoError(t, c.Log(record(m)))
			logged = append(logged, m)
		}
	}
	log(25)
	time.Sleep(time.Second)
	f.goAway()
	for range 4 {
		log(17)
		time.Sleep(time.Second)
	}
	f.set(func() {
		f.away = false
		f.after = nth(2, func() error { return errDie })
	})
	log(15)
	time.Sleep(30 * time.Second)
	f.goAway()
	log(31)
	time.Sleep(30 * time.Second)
	l := c.Stats()
	requireBalance(t, l)
	return logged, l.Accepted - l.Memory
}

// kill ends a client as a crash does, for its disk and its collector.
func kill(c *logclient.Client) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _ = c.Close(ctx) // The disk has no power any more, and nothing that is sent arrives.
}

// requireOnce fails if a message was stored twice, or one of the first safe ones is not stored.
func requireOnce(t *testing.T, logged, stored []string, safe uint64) {
	seen := map[string]int{}
	for _, m := range stored {
		seen[m]++
	}
	for i, m := range logged {
		require.LessOrEqual(t, seen[m], 1, "%q was stored twice", m)
		if uint64(i) < safe {
			require.Equal(t, 1, seen[m], "%q is lost", m)
		}
	}
}

// A process that is killed, or loses its power, at any change of its disk has every record stored once that its ledger had as
// acknowledged or in the spool; two such lives follow each other.
func TestCrashAtEveryWrite(t *testing.T) {
	total := 0
	run(t, func(t *testing.T, f *fake) {
		disk := files.NewMem(-1)
		c := newClient(t, f, spooled(disk))
		scenario(t, f, c, 0)
		total = disk.Ops()
		kill(c)
	})
	require.Greater(t, total, 30)
	for n := range total + 1 {
		for _, torn := range []int{-1, 0, 1, 47, 48, 100, 1 << 20} {
			run(t, func(t *testing.T, f *fake) { crash(t, f, n, torn) })
		}
	}
}

// crash ends the disk's power after n changes. What was not synced is lost then, but for the first torn bytes of each file;
// with a negative torn the process is killed alone.
func crash(t *testing.T, f *fake, n, torn int) {
	disk := files.NewMem(n)
	var logged1 []string
	var safe1 uint64
	o := spooled(disk)
	o.Dialer = f.dial
	first, err := logclient.New(o)
	if err == nil {
		logged1, safe1 = scenario(t, f, first, 1)
	} else {
		require.ErrorIs(t, err, files.ErrPowerCut)
	}
	disk2 := disk.Restart(torn >= 0, max(0, torn), -1)
	if err == nil {
		kill(first)
	}

	f.set(func() { f.after = nil })
	second := newClient(t, f, spooled(disk2))
	logged2, safe2 := scenario(t, f, second, 2)
	disk3 := disk2.Restart(torn >= 0, max(0, torn), -1)
	kill(second)

	f.set(func() { f.away, f.after = false, nil })
	third := newClient(t, f, spooled(disk3))
	logged3 := logAll(t, third, 0, 35)
	require.NoError(t, third.Sync(context.Background()))
	finish(t, third)
	stored := f.messages()
	requireOnce(t, logged1, stored, safe1)
	requireOnce(t, logged2, stored, safe2)
	requireOnce(t, logged3, stored, uint64(len(logged3)))
	require.True(t, slices.Equal(logged3, stored[len(stored)-len(logged3):]), "the order must be kept")
}

// Whatever byte of the spool is flipped, everything else is delivered once, and what is lost is counted.
func TestFlippedSpool(t *testing.T) {
	var disk *files.Mem
	var logged []string
	marks := map[logwire.ProducerID]*mark{}
	var stored []string
	run(t, func(t *testing.T, f *fake) {
		disk = files.NewMem(-1)
		c := newClient(t, f, spooled(disk))
		logged, _ = scenario(t, f, c, 0)
		disk = disk.Restart(false, 0, -1)
		kill(c)
		marks, stored = f.marks, f.messages()
	})
	spool := ""
	for name := range disk.Bytes() {
		if strings.HasSuffix(name, ".spool") {
			require.Empty(t, spool)
			spool = name
		}
	}
	size := len(disk.Bytes()[spool])
	require.Greater(t, size, 1000)
	for i := range size {
		run(t, func(t *testing.T, f *fake) {
			f.marks, f.stored = copyMarks(marks), slices.Clone(stored)
			damaged := disk.Restart(false, 0, -1)
			damaged.Bytes()[spool][i] ^= byte(1 << (i % 8))
			c := newClient(t, f, spooled(damaged))
			l := c.Stats()
			more := logAll(t, c, 0, 5)
			require.NoError(t, c.Sync(context.Background()))
			after := finish(t, c).Ledger
			requireOnce(t, append(slices.Clone(logged), more...), f.messages(), 0)
			requireOnce(t, more, f.messages(), 5)
			missing := uint64(len(logged) + 5 - len(f.messages()))
			require.LessOrEqual(t, missing, uint64(10), "at most a batch is lost: %d: %+v %+v", i, l, after)
			if l.UnknownLosses == 0 {
				require.GreaterOrEqual(t, after.Dropped.Corrupt, missing)
			}
		})
	}
}

func copyMarks(marks map[logwire.ProducerID]*mark) map[logwire.ProducerID]*mark {
	c := map[logwire.ProducerID]*mark{}
	for id, m := range marks {
		copied := *m
		c[id] = &copied
	}
	return c
}

// Whatever byte of an identity is flipped, the other copy has it.
func TestFlippedIdentity(t *testing.T) {
	for i := range 76 {
		run(t, func(t *testing.T, f *fake) {
			disk := files.NewMem(-1)
			c := newClient(t, f, spooled(disk))
			logged, _ := scenario(t, f, c, 0)
			disk = disk.Restart(false, 0, -1)
			kill(c)
			name := path.Join("spool", []string{"identity", "identity.copy"}[i%2])
			require.Len(t, disk.Bytes()[name], 76)
			disk.Bytes()[name][i] ^= 0x10
			f.set(func() { f.away, f.after = false, nil })
			c = newClient(t, f, spooled(disk))
			require.NoError(t, c.Sync(context.Background()))
			requireOnce(t, logged, f.messages(), uint64(len(logged)))
			finish(t, c)
		})
	}
}
