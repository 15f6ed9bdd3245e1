package transport

import (
	"sync"
	"sync/atomic"
	"time"
)

// flushAfter is how long bytes may wait in an output that is lent.
const flushAfter = time.Millisecond

// The states of an Output:
//
//	owned ───Lend───► lent ───FlushLent───► flushing ───► lent
//	  ▲                │ Reclaim                │ Reclaim
//	  ├────────────────┘                        ▼
//	  └───────────────────────────────────── wanted
const (
	owned    = iota // the owner's
	lent            // whoever wants to flush may take it
	flushing        // another goroutine writes
	wanted          // another goroutine writes, and the owner waits for it
)

// lending passes an Output between its owner and those who flush it meanwhile. It is a lock whose
// waiter waits on a channel, because it is held across a write.
type lending struct {
	state atomic.Int32
	back  chan struct{} // a token for the owner who waits in the state wanted

	timer   *time.Timer    // flushes when it has been lent for flushAfter; the owner's
	armed   atomic.Bool    // the timer will fire
	running sync.WaitGroup // armed timers, and what they run
}

// Lend lets others flush until Reclaim. What is buffered is written within a millisecond.
func (out *Output) Lend() {
	pending := out.n > 0
	l := &out.lending
	l.state.Store(lent)
	if !pending || !l.armed.CompareAndSwap(false, true) {
		return
	}
	l.running.Add(1)
	if l.timer == nil {
		l.timer = time.AfterFunc(flushAfter, out.timedFlush)
	} else {
		l.timer.Reset(flushAfter)
	}
}

// Reclaim ends Lend. It waits for a flush that is going on, and returns the output's error.
func (out *Output) Reclaim() error {
	l := &out.lending
	for l.state.Load() != owned && !l.state.CompareAndSwap(lent, owned) {
		if l.state.CompareAndSwap(flushing, wanted) {
			<-l.back
			break
		}
	}
	return out.err
}

// FlushLent writes what is buffered if the output is lent. Otherwise somebody else is at it, who
// flushes before he waits for anything. Any goroutine may call it.
func (out *Output) FlushLent() error {
	l := &out.lending
	if !l.state.CompareAndSwap(lent, flushing) {
		return nil
	}
	defer l.giveBack() // also where the connection panics
	return out.Flush()
}

// giveBack ends a flush.
func (l *lending) giveBack() {
	if !l.state.CompareAndSwap(flushing, lent) {
		l.state.Store(owned)
		l.back <- struct{}{}
	}
}

func (out *Output) timedFlush() {
	defer out.lending.running.Done()
	out.lending.armed.Store(false)
	if out.TimedFlush != nil {
		out.TimedFlush()
		return
	}
	out.flushAside()
}

// flushAside is FlushLent where nobody else would notice a panic: the output fails with it.
func (out *Output) flushAside() {
	l := &out.lending
	if !l.state.CompareAndSwap(lent, flushing) {
		return
	}
	defer l.giveBack()
	defer out.conn.recovered(&out.err)
	out.Flush()
}

// Stop stops the timer and waits for a flush that it has begun. The owner calls it when it will not
// lend the output for a while, or the connection has been closed.
func (out *Output) Stop() {
	l := &out.lending
	if l.timer != nil && l.timer.Stop() {
		l.armed.Store(false)
		l.running.Done()
	}
	l.running.Wait()
}
