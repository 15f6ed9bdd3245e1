package main

import (
	"sync"
	"sync/atomic"
)

// window hands the places of a pipeline from its receiver to its sender.
type window struct {
	free atomic.Int64
	wake chan struct{}
}

func newWindow(n int) *window {
	w := &window{wake: make(chan struct{}, 1)}
	w.give(n)
	return w
}

// give adds n free places. It never blocks.
func (w *window) give(n int) {
	w.free.Add(int64(n))
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// take takes all free places and waits until there is one. It returns 0 after close.
func (w *window) take() int {
	for {
		if n := w.free.Swap(0); n > 0 {
			return int(n)
		}
		if _, ok := <-w.wake; !ok {
			return 0
		}
	}
}

// close ends the sender. Nothing is given any more.
func (w *window) close() { close(w.wake) }

// ordered keeps up to size messages under way on a connection that answers in order: one goroutine
// sends, the caller's receives. It returns how many were answered. A failed send must make receive
// fail.
func ordered(size int, stop *atomic.Bool, send, receive func() error) (int64, error) {
	w := newWindow(size)
	sent := make(chan error, 1)
	go func() { sent <- sendTaken(w, send) }()
	answered, err := receiveGiven(w, size, stop, receive)
	w.close()
	if serr := <-sent; serr != nil {
		err = serr
	}
	return answered, err
}

// sendTaken sends a message for each place of w.
func sendTaken(w *window, send func() error) error {
	for {
		n := w.take()
		if n == 0 {
			return nil
		}
		for range n {
			if err := send(); err != nil {
				return err
			}
		}
	}
}

// receiveGiven receives, and gives each place back until stop is set.
func receiveGiven(w *window, size int, stop *atomic.Bool, receive func() error) (int64, error) {
	var answered int64
	for under := size; under > 0; answered++ {
		if err := receive(); err != nil {
			return answered, err
		}
		if stop.Load() {
			under--
		} else {
			w.give(1)
		}
	}
	return answered, nil
}

// concurrently has size goroutines call until stop is set, each at least once. It returns how many
// calls succeeded and the first error.
func concurrently(size int, stop *atomic.Bool, call func(i int) error) (int64, error) {
	var (
		calls atomic.Int64
		first atomic.Pointer[error]
		wg    sync.WaitGroup
	)
	for i := range size {
		wg.Go(func() {
			var n int64
			defer func() { calls.Add(n) }()
			for again := true; again; again = !stop.Load() {
				if err := call(i); err != nil {
					failed := err // only a failure may cost an allocation
					first.CompareAndSwap(nil, &failed)
					stop.Store(true)
					return
				}
				n++
			}
		})
	}
	wg.Wait()
	if err := first.Load(); err != nil {
		return calls.Load(), *err
	}
	return calls.Load(), nil
}
