package inputs

import (
	"runtime/metrics"
	"sync"
)

// allocationBound holds what is allocated against a bound for each input. The runtime counts for the whole
// process, so a batch that stays below the least bound proves it for each of its inputs. Where it does not, because the others
// allocated as well or the runtime counted late, the inputs are tried again one by one while the others wait.
type allocationBound struct {
	of    func(in Input) int // nil: there is none
	least uint64             // of any input

	alone sync.RWMutex // held for reading by who tries a batch
}

func (a *allocationBound) init(m Mutated) {
	if a.of = m.Bound; a.of != nil {
		a.least = uint64(a.of(make(Input, len(m.Seeds[0]))))
	}
}

// batch tries a batch of w's.
func (a *allocationBound) batch(w *worker, from, to uint64) {
	if a.of == nil {
		w.try(from, to)
		return
	}
	if a.shared(w, from, to) > a.least {
		a.oneByOne(w, from, to)
	}
}

// shared tries a batch beside the others and returns what all allocated meanwhile.
func (a *allocationBound) shared(w *worker, from, to uint64) uint64 {
	a.alone.RLock()
	defer a.alone.RUnlock()
	before := allocated()
	w.try(from, to)
	return allocated() - before
}

// oneByOne measures each input of a batch, at the least of three tries.
func (a *allocationBound) oneByOne(w *worker, from, to uint64) {
	a.alone.Lock()
	defer a.alone.Unlock()
	for w.number = from; w.number < to; w.number++ {
		w.in, w.done = w.inputs.Input(w.number), false
		least := ^uint64(0)
		for range 3 {
			before := allocated()
			w.check(w.in)
			least = min(least, allocated()-before)
		}
		if bound := a.of(w.in); least > uint64(bound) {
			w.t.Fatalf("allocated %d bytes, more than %d", least, bound)
		}
		w.done = true
	}
}

// allocated returns how many bytes the process has allocated since its start. It may be a few pages late.
func allocated() uint64 {
	total := [1]metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(total[:])
	return total[0].Value.Uint64()
}
