package serialserver

import (
	"context"
	"io"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
)

// LimitConcurrency returns middleware that lets n tasks run at a time, of all codes that it is put around,
// and holds the others back for wait, in the order of their coming. Those that get no turn are answered with
// error 252 (busy); with wait <= 0 that is at once. A task has its place until its answer is complete. n must
// be 1 at least.
//
// A task of WholeMessage, or WholeMessageStream, gives its place up while it reads its message, unless that was received together with its
// code, and takes one again, within another wait, when it has it: however slowly its client sends, it keeps nobody out.
// Any other TaskFunc reads while it
// works, so a client that sends slowly has its place meanwhile; and any client that takes its answer slowly has it too:
// as long as it keeps to the minimum rate, for Limits.MessageTime each. Where clients are not trusted give these task
// codes less time (SetTaskLimits), and an address fewer clients (WithMaxClientsPerAddress).
//
// Without it the tasks at a time are bounded by the clients, each of which has one.
func LimitConcurrency(n int, wait time.Duration) func(TaskFunc) TaskFunc {
	if n < 1 {
		panic("serialserver: LimitConcurrency below 1")
	}
	places := semaphore.NewWeighted(int64(n))
	return func(f TaskFunc) TaskFunc {
		return func(ctx context.Context, c *Client, in binaryutil.BinaryReader, lg *zap.Logger, args ...interface{}) (io.Reader, error) {
			p := &place{places: places, wait: wait}
			if err := p.enter(ctx); err != nil {
				return nil, err
			}
			t := c.runningIn(ctx)
			if c.onDoneOf(t, func(TaskResult) { p.leave(true) }) {
				t.addPlace(p)
			} else { // the task was given up by other middleware
				defer p.leave(true)
			}
			return f(ctx, c, in, lg, args...)
		}
	}
}

// place is a task's place of a LimitConcurrency. The task's goroutine takes it; but other middleware may have given
// that one up, and the task be over meanwhile.
type place struct {
	places *semaphore.Weighted // never changes, as the next one
	wait   time.Duration
	inner  *place // the task's next one; nil: none; set before that is taken

	mu    sync.Mutex // guards what follows
	taken bool
	over  bool // the task is done: it gets no place any more
}

// enter waits for the place until ctx is done, for at most wait.
func (p *place) enter(ctx context.Context) error {
	if p.places.TryAcquire(1) {
		return p.keep()
	}
	if p.wait > 0 {
		waiting, cancel := context.WithTimeout(ctx, p.wait)
		defer cancel()
		if p.places.Acquire(waiting, 1) == nil {
			return p.keep()
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return serial.Errorf(serial.ErrorBusy, "serialserver: too many tasks at a time")
}

// keep makes the place that was acquired the task's, unless that is done.
func (p *place) keep() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		p.places.Release(1)
		return ErrTaskEnded
	}
	p.taken = true
	return nil
}

// leave gives the place up, if it is taken, for good when the task is done.
func (p *place) leave(done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = p.over || done
	if p.taken {
		p.taken = false
		p.places.Release(1)
	}
}

// addPlace notes a place that the task has, within those that it has already.
func (t *task) addPlace(p *place) {
	last := &t.places
	for *last != nil {
		last = &(*last).inner
	}
	*last = p
}

// withoutPlaces calls read with the places of t given up, and takes them again, the outermost first. It does not where
// the message is there as a whole: then read waits for nothing. t is nil where the task is over, and ctx is that of who
// reads, which ends the wait for a place.
func (c *Client) withoutPlaces(ctx context.Context, t *task, read func() error) error {
	if t == nil || t.places == nil || t.message.arrived(c.input) {
		return read()
	}
	for p := t.places; p != nil; p = p.inner {
		p.leave(false)
	}
	if err := read(); err != nil {
		return err
	}
	for p := t.places; p != nil; p = p.inner {
		if err := p.enter(ctx); err != nil {
			return err
		}
	}
	return nil
}
