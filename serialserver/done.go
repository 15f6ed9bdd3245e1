package serialserver

import (
	"go.uber.org/zap"
)

// taskDone is what is called when a task is done, the latest first.
type taskDone struct {
	f      func(TaskResult)
	before *taskDone
}

// OnTaskDone calls f when the running task has ended: its answer is complete, though maybe still buffered, or
// never will be. It is how middleware learns what became of an answer that is sent after the TaskFunc has
// returned, and gives back what belongs to the task. Of several the latest is called first.
//
// A TaskFunc or its middleware calls it before it returns; f is called in the connection's goroutine and must
// not block. A panic of f is logged; an f that ends its goroutine (runtime.Goexit) ends the connection, after the
// others were called. When no task runs OnTaskDone does nothing and returns false.
func (c *Client) OnTaskDone(f func(TaskResult)) bool { return c.onDoneOf(c.running(), f) }

// onDoneOf is OnTaskDone, for t alone, nil meaning none.
func (c *Client) onDoneOf(t *task, f func(TaskResult)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t == nil || c.task != t {
		return false
	}
	t.done = &taskDone{f, t.done}
	return true
}

// callDone calls what is to be called when t, which has ended, has: all of it, whatever one of them does.
func (c *Client) callDone(t *task, r TaskResult) {
	d := t.done
	if d == nil {
		return
	}
	t.done = d.before
	defer c.callDone(t, r) // also where d ends its goroutine
	if err := recoveredCall(d.f, r); err != nil {
		c.taskLogger().Error("OnTaskDone panicked", zap.Stringer("task", t.reg.code), zap.Error(err),
			zap.ByteString("stack", err.(*PanicError).Stack))
	}
}

func recoveredCall(f func(TaskResult), r TaskResult) (err error) {
	defer recovered(&err)
	f(r)
	return nil
}
