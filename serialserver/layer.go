package serialserver

import "runtime/debug"

// layerPanicked notes what the connection has panicked with where it is read or written beside its goroutine, by a
// goroutine or a timer: nobody else could recover that. The connection fails with what it returns.
func (c *Client) layerPanicked(v any) error {
	p := &PanicError{Value: v, Stack: debug.Stack()}
	c.panicked.CompareAndSwap(nil, p)
	return p
}

// guarded does one of the things that the connection's end, or its task's, is made of. A panic must not keep the others
// from being done.
func (c *Client) guarded(f func() error) {
	defer func() {
		if v := recover(); v != nil {
			c.layerPanicked(v)
		}
	}()
	f()
}

// endAfterPanic, deferred by what runs beside the connection's goroutine, closes a connection that has panicked
// there.
func (c *Client) endAfterPanic() {
	v := recover()
	if v == nil {
		return
	}
	err := c.layerPanicked(v)
	c.mu.Lock()
	c.leaving = true
	if c.cut.cause == nil {
		c.cut.cause = err
	}
	t := c.task
	c.mu.Unlock()
	if t != nil {
		t.ctx.stop(err)
	}
	c.guarded(c.abort)
}

// layersPanic makes what the connection has panicked with the reason of its end, if it has.
func (c *Client) layersPanic(e *ending) {
	p := c.panicked.Load()
	if p == nil {
		return
	}
	if e.panic == nil {
		e.panic = p
	}
	if e.reason <= ClosedGraceful {
		e.reason = ClosedDropped
	}
	if e.err == nil {
		e.err = p
		return
	}
	e.err = joined(p, e.err)
}
