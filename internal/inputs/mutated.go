package inputs

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var (
	many  = flag.Uint64("many", 2000, "mutated inputs for each decoder")
	first = flag.Uint64("many.first", 0, "the number of the first; with -many 1 and -many.seed it makes one input again")
	seed  = flag.Uint64("many.seed", 0, "the seed of the mutated inputs; 0: any")
	limit = flag.Duration("many.time", 0, "how long mutated inputs are tried for each decoder; 0: until all were")
)

// batch is how many inputs a worker takes at a time.
const batch = 64

// hangAfter is how long a batch may take. It is far more than a slow machine needs.
const hangAfter = 2 * time.Minute

// Mutated says which inputs a decoder is given.
type Mutated struct {
	// Seeds are what the inputs are made of, see NewGenerator.
	Seeds []Input
	// Longest is the most bytes of a field.
	Longest int
	// Kinds are the kinds of inputs that there must be. A run of at least 1,000 inputs fails when it had none of one.
	Kinds []string
	// Check makes what decodes an input and compares the result with the oracle's: it ends with t.Fatalf, or returns
	// the index of the input's kind. Each worker has one of its own, so that it can use memory again.
	Check func(t testing.TB) func(in Input) (kind int)
	// Bound, if not nil, is how many bytes the decoding of an input may allocate. It holds what the check itself
	// allocates, too, and must not be smaller than that of an Input of empty fields.
	Bound func(in Input) int
}

// Run tries mutated inputs on all cores, as many as -many says and for as long as -many.time does. It logs the
// seed and the counts. When an input fails, its number and its bytes are logged, too.
func (m Mutated) Run(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64() // the same for all decoders of a process
	}
	r := &run{Mutated: m, kinds: make([]atomic.Uint64, len(m.Kinds)), seed: *seed, begin: time.Now()}
	r.bound.init(m)
	t.Run("workers", func(t *testing.T) {
		for i := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				r.work(t)
			})
		}
	})
	r.report(t)
}

// run is what the workers share.
type run struct {
	Mutated
	seed  uint64    // never changes
	begin time.Time // never changes
	next  atomic.Uint64
	kinds []atomic.Uint64 // executions of each kind
	bound allocationBound
}

// work tries batches until there are none left, or one has failed.
func (r *run) work(t *testing.T) {
	w := &worker{run: r, t: t, check: r.Check(t), inputs: NewGenerator(r.seed, r.Longest, r.Seeds)}
	hang := time.AfterFunc(hangAfter, func() {
		panic(fmt.Sprintf("inputs: seed %d, an input from number %d on takes more than %v", r.seed, w.from.Load(), hangAfter))
	})
	defer hang.Stop()
	defer w.tellFailure()
	for !t.Failed() && (*limit == 0 || time.Since(r.begin) < *limit) {
		from := r.next.Add(batch) - batch
		if from >= *many {
			break
		}
		hang.Reset(hangAfter)
		w.from.Store(*first + from)
		r.bound.batch(w, *first+from, *first+min(from+batch, *many))
	}
}

// worker is one of the goroutines that try inputs.
type worker struct {
	*run
	t      *testing.T
	check  func(Input) int
	inputs *Generator
	from   atomic.Uint64 // the first number of the batch
	number uint64        // of the input that is being tried
	in     Input         // itself
	done   bool          // it has been
}

// try tries the inputs of a batch.
func (w *worker) try(from, to uint64) {
	for w.number = from; w.number < to; w.number++ {
		w.in, w.done = w.inputs.Input(w.number), false
		w.kinds[w.check(w.in)].Add(1)
		w.done = true
	}
}

// tellFailure logs the input that has failed. Its test ends the goroutine, or panics.
func (w *worker) tellFailure() {
	if w.in != nil && !w.done {
		w.t.Logf("input %x\nagain: -run '^%s$' -many 1 -many.seed %d -many.first %d",
			[][]byte(w.in), strings.Split(w.t.Name(), "/")[0], w.seed, w.number)
	}
}

func (r *run) report(t *testing.T) {
	took, total, kinds := time.Since(r.begin), uint64(0), ""
	for i, name := range r.Kinds {
		n := r.kinds[i].Load()
		total += n
		kinds += fmt.Sprintf(", %s %d", name, n)
	}
	t.Logf("many: %d executions of %s in %v, seed %d%s", total, t.Name(), took.Round(time.Millisecond), r.seed, kinds)
	if total == 0 {
		t.Errorf("no input was tried")
	}
	for i, name := range r.Kinds {
		if total >= 1000 && r.kinds[i].Load() == 0 {
			t.Errorf("no input of the kind %q", name)
		}
	}
}
