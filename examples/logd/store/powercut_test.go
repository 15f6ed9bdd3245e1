package store

import (
	"errors"
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
)

var (
	cuts    = flag.Int("cuts", 200, "how many power cuts are simulated")
	cutSeed = flag.Uint64("cutseed", 0, "the seed of the power cuts; 0: the time")
)

const (
	cutProducers = 4
	cutBatches   = 12 // of each producer between two recoveries
	cutOneIn     = 30 // operations of the file system
	generations  = 4  // recoveries, one on what the one before has left
)

// cut is a power cut: what was known before it, and what it left on the disk.
type cut struct {
	was  snapshot
	disk *vfs.MemFS
}

// TestPowerCuts: whatever a power cut leaves of what was not synced, every acknowledged record is there exactly once, nothing that
// was shown has gone or changed, and the marks are right.
func TestPowerCuts(t *testing.T) {
	seed := cutRunSeed()
	var total tally
	for n := uint64(0); total.cuts < *cuts; n++ {
		require.NoError(t, runGenerations(seed+n, hooks{}, &total), "seed %d", seed+n)
	}
	t.Logf("seed %d: %d cuts, %d of them with unsynced bytes; %d records acknowledged before them; of %d batches in flight %d were lost and %d kept",
		seed, total.cuts, total.unsynced, total.acked, total.open, total.gone, total.open-total.gone)
	require.Positive(t, total.unsynced, "no cut has hit an unsynced state")
	require.Positive(t, total.gone, "no cut has taken anything")
}

// TestPowerCutsFindAnEarlyAcknowledgement: the same with the acknowledgement before the sync loses records, and the oracle
// sees it.
func TestPowerCutsFindAnEarlyAcknowledgement(t *testing.T) {
	seed := cutRunSeed()
	var total tally
	found := 0
	for n := uint64(0); found == 0 && total.cuts < 10*(*cuts); n++ {
		err := runGenerations(seed+n, hooks{ackUnsynced: true}, &total)
		if errors.Is(err, errLost) {
			found++
			t.Logf("after %d cuts: %v", total.cuts, err)
		}
	}
	require.Positive(t, found, "seed %d: %d cuts have not shown the loss", seed, total.cuts)
}

func cutRunSeed() uint64 {
	if *cutSeed != 0 {
		return *cutSeed
	}
	return uint64(time.Now().UnixNano())
}

// tally counts over all runs.
type tally struct {
	cuts, unsynced, acked, open, gone int
}

// runGenerations runs a store and cuts its power, again and again on what one of the cuts has left.
func runGenerations(seed uint64, h hooks, total *tally) error {
	rng := rand.New(rand.NewPCG(seed, 2))
	disk, o := vfs.NewCrashableMem(), newOracle()
	for range generations {
		w := &world{o: o, rng: rng}
		if err := w.run(disk, h); err != nil {
			return err
		}
		next := -1
		if len(w.cuts) > 0 {
			next = rng.IntN(len(w.cuts))
		}
		for i, c := range w.cuts {
			if i == next {
				disk = c.disk.CrashClone(vfs.CrashCloneCfg{})
			}
			found, err := o.verify(c.disk, c.was)
			if err != nil {
				return err
			}
			total.count(c, found)
		}
		total.unsynced += w.unsynced
		if next < 0 {
			return nil
		}
		if err := o.goOn(disk, w.cuts[next].was); err != nil {
			return err
		}
	}
	return nil
}

func (t *tally) count(c cut, found map[batchName]uint64) {
	t.cuts++
	for _, a := range c.was.acked {
		t.acked += a.count()
	}
	t.open += len(c.was.open)
	for _, n := range c.was.open {
		if _, ok := found[n]; !ok {
			t.gone++
		}
	}
}

// goOn makes the oracle that of the world after the cut: what the store shows now has to stay.
func (o *oracle) goOn(disk *vfs.MemFS, was snapshot) error {
	copied := disk.CrashClone(vfs.CrashCloneCfg{})
	found, err := o.verify(copied, was)
	if err != nil {
		return err
	}
	o.acked, o.shown = was.acked, was.shown
	clear(o.fresh)
	for n, first := range found {
		o.shown = append(o.shown, seen{n, first})
	}
	return nil
}
