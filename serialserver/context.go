package serialserver

import (
	"context"
	"sync"
	"time"
)

// taskContext is the context of one task. Most tasks are over before anybody asks, so the real,
// cancellable context is only made when its Done, Err after a cancellation, or Value is asked for.
type taskContext struct {
	parent context.Context // never changes, as the next one
	task   *task           // whose it is

	mu     sync.Mutex // guards what follows
	real   context.Context
	cancel context.CancelCauseFunc
	cause  error // why it was cancelled; nil: it was not
}

var _ context.Context = (*taskContext)(nil)

// context returns the real context.
func (c *taskContext) context() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.real != nil:
	case c.cause == nil:
		c.real, c.cancel = context.WithCancelCause(c.parent)
	default: // the parent may have been cancelled since
		c.real, c.cancel = context.WithCancelCause(context.WithoutCancel(c.parent))
		c.cancel(c.cause)
	}
	return c.real
}

// stop cancels the context. Only the first cause counts.
func (c *taskContext) stop(cause error) {
	c.mu.Lock()
	cancel := c.cancel
	if c.cause == nil && c.parent.Err() == nil {
		c.cause = cause
	}
	c.mu.Unlock()
	if cancel != nil {
		cancel(cause) // a second call does nothing
	}
}

// stopped returns why stop was called, nil if it was not, or came too late.
func (c *taskContext) stopped() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Deadline is that of HandleConnection's context, or of the task's time if that is earlier.
func (c *taskContext) Deadline() (time.Time, bool) {
	until, ok := c.parent.Deadline()
	own := c.task.deadline()
	if own.IsZero() || ok && until.Before(own) {
		return until, ok
	}
	return own, true
}

// Done implements context.Context.
func (c *taskContext) Done() <-chan struct{} { return c.context().Done() }

// Err implements context.Context.
func (c *taskContext) Err() error {
	c.mu.Lock()
	untouched, late := c.real == nil && c.cause == nil, c.cause == ErrTaskTimeout
	c.mu.Unlock()
	switch {
	case untouched:
		return c.parent.Err()
	case late:
		return context.DeadlineExceeded
	}
	return c.context().Err()
}

// Value implements context.Context. Package context finds the real context by it, so that
// context.Cause and derived contexts need no goroutine.
func (c *taskContext) Value(key any) any {
	if key == (taskKey{}) {
		return c.task
	}
	return c.context().Value(key)
}

// taskKey is the key of a task in its context.
type taskKey struct{}

// runningIn returns the running task if ctx is its context, or derived from it, or no task's at all. It is nil where
// other middleware has given up the task of ctx, and that is over: another one may run by now.
func (c *Client) runningIn(ctx context.Context) *task {
	t := c.running()
	if own, ok := ctx.Value(taskKey{}).(*task); ok && own != t {
		return nil
	}
	return t
}
