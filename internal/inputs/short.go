package inputs

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// Short tries every input of up to longest bytes, on all cores. Each worker makes a check of its own, which fails
// the test. It logs how many inputs that were; what says in the plural what one is.
func Short(t *testing.T, longest int, what string, check func(t testing.TB) func(b []byte)) {
	begin := time.Now()
	var tried, next atomic.Uint64
	t.Run("workers", func(t *testing.T) {
		for i := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				f := check(t)
				for share := next.Add(1) - 1; share <= 256 && !t.Failed(); share = next.Add(1) - 1 {
					tried.Add(shareOf(int(share), longest, f))
				}
			})
		}
	})
	want := uint64(0)
	for size := range longest + 1 {
		want += 1 << (8 * size)
	}
	t.Logf("%d %s in %v", tried.Load(), what, time.Since(begin).Round(time.Millisecond))
	if tried.Load() != want && !t.Failed() {
		t.Errorf("%d inputs were tried, not %d", tried.Load(), want)
	}
}

// shareOf tries the inputs that begin with a byte, and the empty one as share 256.
func shareOf(share, longest int, f func(b []byte)) (tried uint64) {
	if share == 256 {
		f(nil)
		return 1
	}
	b := make([]byte, longest)
	for size := 1; size <= longest; size++ {
		for v := range 1 << (8 * (size - 1)) {
			b[0] = byte(share)
			for i := 1; i < size; i++ {
				b[i] = byte(v >> (8 * (size - 1 - i)))
			}
			f(b[:size])
			tried++
		}
	}
	return tried
}
