package logclient_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/internal/files"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// The ledger balances at every instant, seen from another goroutine, whatever happens, and in the end every record that it has as
// acknowledged is stored once, and no other one.
func TestLedgerAtEveryInstant(t *testing.T) {
	f := newFake(t)
	seed := rand.Uint64()
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	fail := func(logwire.BatchHead) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		switch random.IntN(12) {
		case 0:
			return errDie
		case 1:
			return errBusy
		}
		return nil
	}
	f.before, f.after = fail, func(logwire.BatchHead) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		if random.IntN(15) == 0 {
			return errDie
		}
		return nil
	}
	f.record = func(v *logwire.View) error {
		if strings.HasSuffix(string(v.Message), "13") {
			return &logwire.FieldError{Field: "time", Kind: logwire.ErrTime}
		}
		return nil
	}
	o := spooled(files.NewMem(-1))
	o.QueueRecords, o.SpoolBytes, o.Policy = 300, 100<<10, logclient.DropOldest
	o.Linger, o.Pause, o.MaxPause = time.Microsecond, time.Microsecond, 10*time.Microsecond
	c := newClient(t, f, o)
	done, looked := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			l := c.Stats()
			if l.Accepted+l.Recovered != l.Acknowledged+l.Dropped.Total()+l.Memory+l.Spooled || l.Memory > 300 {
				t.Errorf("out of balance: %+v", l)
			}
			runtime.Gosched() // It must not keep the others from the lock.
			select {
			case <-done:
				looked <- n
				return
			default:
			}
		}
	}()
	for i := range 5_000 {
		_ = c.Log(record(fmt.Sprint("message ", i)))
		if i%1250 == 700 {
			f.goAway()
		} else if i%1250 == 1100 {
			f.set(func() { f.away = false })
		}
	}
	f.set(func() { f.away, f.before, f.after = false, nil, nil })
	require.NoError(t, c.Sync(context.Background()))
	close(done)
	require.NotZero(t, <-looked)
	l := finish(t, c).Ledger
	require.Zero(t, l.Pending())
	require.EqualValues(t, 5_000, l.Accepted)
	stored := f.messages()
	require.EqualValues(t, l.Acknowledged, len(stored), "%+v", l)
	slices.Sort(stored)
	require.EqualValues(t, l.Acknowledged, len(slices.Compact(stored)), "each must be stored once")
}
