package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// world is a run of a store under load, and the cuts in it.
type world struct {
	o     *oracle
	store *Store
	rng   *rand.Rand

	mu   sync.Mutex
	cuts []cut // guarded by mu, as are the following
	errs []error

	unsynced int // cuts at which written bytes were not synced
}

// run opens the store and lets everything happen at the same time, until all producers are done.
func (w *world) run(disk *vfs.MemFS, h hooks) (err error) {
	fs := newCutFS(disk, w.rng.Uint64())
	percent := rand.New(rand.NewPCG(w.rng.Uint64(), 3))
	fs.cut = func(unsynced int64) {
		w.mu.Lock()
		defer w.mu.Unlock()
		was := w.o.snapshot()
		keep := []int{0, 20, 50, 80, 100}[percent.IntN(5)]
		w.cuts = append(w.cuts, cut{was, disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: keep, RNG: percent})})
		if unsynced > 0 {
			w.unsynced++
		}
	}
	options := w.o.options(fs)
	h.manual, h.blockRecords = true, 7
	options.hooks, options.OnCommit = h, w.committed
	fs.one = cutOneIn
	if w.store, err = Open("data", options); err != nil {
		return err
	}
	var producing, others sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	for p, m := range w.lastMarks() {
		rng := rand.New(rand.NewPCG(w.rng.Uint64(), 4))
		producing.Go(func() { w.fails(w.produce(batchName{byte(p), max(1, m.epoch), m.sequence}, rng)) })
	}
	rng := rand.New(rand.NewPCG(w.rng.Uint64(), 5))
	others.Go(func() { w.fails(w.sealAndExpire(ctx, rng)) })
	others.Go(func() { w.fails(w.read(ctx)) })
	producing.Wait()
	cancel()
	others.Wait()
	fs.mu.Lock()
	fs.one = 0
	fs.mu.Unlock()
	return errors.Join(append(w.errs, w.store.Close())...)
}

func (w *world) fails(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs = append(w.errs, err)
}

// lastMarks returns the producers' marks, before anything is sent.
func (w *world) lastMarks() (last [cutProducers]mark) {
	for p := range last {
		last[p] = w.store.marks.of[producer(byte(p))]
	}
	return last
}

// produce sends the batches after n; now and then one again, one too far ahead, or with a new epoch.
func (w *world) produce(n batchName, rng *rand.Rand) error {
	for range cutBatches {
		if rng.IntN(8) == 0 {
			n.epoch, n.sequence = n.epoch+1, 0
		}
		n.sequence++
		w.o.sending(n)
		if err := w.send(n, rng.IntN(4) == 0); err != nil {
			return err
		}
		var a logwire.AppendAnswer
		var err error
		if rng.IntN(3) == 0 {
			if a, err = w.store.Append(context.Background(), n.bytes()); err != nil || a.Stored || a.Mark != n.sequence {
				return fmt.Errorf("%v again: %+v, %w", n, a, err)
			}
		}
		if rng.IntN(5) == 0 {
			ahead := n
			ahead.sequence += 2
			var gap *logwire.GapError
			if a, err = w.store.Append(context.Background(), ahead.bytes()); !errors.As(err, &gap) || gap.Expected != n.sequence+1 {
				return fmt.Errorf("%v ahead: %+v, %w", ahead, a, err)
			}
		}
	}
	return nil
}

// send sends a batch, or the same one twice at the same time: then it is stored once, and acknowledged twice.
func (w *world) send(n batchName, twice bool) error {
	var other sync.WaitGroup
	var first, second logwire.AppendAnswer
	var err, secondErr error
	if twice {
		other.Go(func() {
			second, secondErr = w.store.Append(context.Background(), n.bytes())
			if secondErr == nil {
				w.o.acknowledged(seen{n, second.FirstID})
			}
		})
	}
	if first, err = w.store.Append(context.Background(), n.bytes()); err == nil {
		w.o.acknowledged(seen{n, first.FirstID})
	}
	other.Wait()
	if err = errors.Join(err, secondErr); err != nil || first.Stored == second.Stored || first.Mark != n.sequence {
		return fmt.Errorf("%v: %+v, %+v, %w", n, first, second, err)
	}
	return nil
}

// committed notes what the store shows to tails.
func (w *world) committed(first uint64, _ int, records []byte) {
	var v logwire.View
	record, _, _ := logwire.NextRecord(records)
	var n batchName
	if logwire.TrustRecord(record, &v) {
		fmt.Sscanf(string(v.Message), "%d/%d/%d/", &n.p, &n.epoch, &n.sequence)
	}
	w.o.show(seen{n, first})
}

// sealAndExpire seals, lets time pass and expires.
func (w *world) sealAndExpire(ctx context.Context, rng *rand.Rand) error {
	for ctx.Err() == nil {
		if err := w.store.Seal(context.Background()); err != nil {
			return err
		}
		if rng.IntN(4) == 0 {
			w.o.advance(time.Duration(rng.IntN(15)) * time.Hour)
		}
		if err := w.store.ask(context.Background(), func() error { return w.store.expire(w.o.clock()) }); err != nil {
			return err
		}
	}
	return nil
}

// read scans all the time, in both directions: what it sees is in order, without a gap and not damaged, whatever goes on.
func (w *world) read(ctx context.Context) error {
	for back := false; ctx.Err() == nil; back = !back {
		last := uint64(0)
		end := w.store.Query(context.Background(), nil, logwire.QueryRequest{Limit: 1 << 40, NewestFirst: back}, func(id uint64, _ []byte) error {
			follows := last == 0 || back && id == last-1 || !back && (id == last+1 || id > last && id <= w.store.First())
			if !follows {
				return fmt.Errorf("%d after %d, and the first is %d", id, last, w.store.First())
			}
			last = id
			return nil
		})
		if end.Reason != reasonEnd || end.Plan.Corrupt > 0 || end.Plan.Lost > 0 {
			return fmt.Errorf("%+v", end)
		}
	}
	return nil
}
