package logclient_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/internal/files"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// chance is random numbers for several goroutines.
type chance struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (c *chance) intN(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.r.IntN(n)
}

// sleep waits for less than n microseconds.
func (c *chance) sleep(n int) { time.Sleep(time.Duration(c.intN(n)) * time.Microsecond) }

// lazyDisk takes its time for each sync, and sometimes fails.
type lazyDisk struct {
	*files.Mem
	*chance
}

func (d lazyDisk) Create(name string) (files.File, error) {
	f, err := d.Mem.Create(name)
	return lazyFile{f, d.chance}, err
}

type lazyFile struct {
	files.File
	*chance
}

func (f lazyFile) Sync() error {
	f.sleep(5000)
	if f.intN(30) == 0 {
		return errDie
	}
	return f.File.Sync()
}

// A disk and a collector that take their time, fail and refuse leave every record stored once or counted as dropped, whichever of them is
// first with a batch; and Close and Sync return.
func TestSlowDiskAndCollector(t *testing.T) {
	for seed := range uint64(100) {
		run(t, func(t *testing.T, f *fake) { slowLife(t, f, seed) })
	}
}

func slowLife(t *testing.T, f *fake, seed uint64) {
	by := &chance{r: rand.New(rand.NewPCG(seed, 1))}
	f.before = func(logwire.BatchHead) error {
		by.sleep(3000)
		return []error{errDie, errBusy, nil}[min(2, by.intN(40))]
	}
	f.record = func(v *logwire.View) error {
		if m := string(v.Message); strings.HasSuffix(m, "13") || strings.HasSuffix(m[:len(m)-1], "5") { // whole batches among them
			return &logwire.FieldError{Field: "time", Kind: logwire.ErrTime}
		}
		return nil
	}
	o := spooled(lazyDisk{files.NewMem(-1), by})
	o.QueueRecords, o.SpoolBytes, o.Policy = 100, 40<<10, logclient.Policy(seed%2)
	o.Linger, o.Pause, o.MaxPause = time.Millisecond, time.Millisecond, 10*time.Millisecond
	o.Dialer = f.dial
	c, err := logclient.New(o)
	if err != nil { // The disk has failed at once.
		require.ErrorIs(t, err, errDie)
		return
	}
	for i := range 2000 {
		_ = c.Log(record(fmt.Sprint("message ", i)))
		if i%7 == 0 {
			by.sleep(2000)
			requireBalance(t, c.Stats())
			require.LessOrEqual(t, c.Stats().Memory, uint64(100), "seed %d", seed)
		}
		if i%500 == 200 {
			f.goAway()
		} else if i%500 == 350 {
			f.set(func() { f.away = false })
		}
	}
	f.set(func() { f.away, f.before = false, nil })
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	require.NoError(t, c.Sync(ctx), "seed %d: %+v", seed, c.Stats())
	time.Sleep(time.Minute) // until the disk has what was on its way there
	require.Zero(t, c.Stats().MemoryBytes, "seed %d", seed)
	left, _ := c.Close(ctx) // Its error is the disk's.
	l := left.Ledger
	requireBalance(t, l)
	require.Zero(t, l.Pending(), "seed %d", seed)
	require.Zero(t, l.Dropped.Corrupt, "seed %d", seed)
	stored := f.messages()
	require.EqualValues(t, l.Acknowledged, len(stored), "seed %d: %+v", seed, l)
	slices.Sort(stored)
	require.Len(t, slices.Compact(stored), len(stored), "seed %d: each must be stored once", seed)
}
