package serialserver

import (
	"errors"
	"io"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/internal/transport"
	"github.com/serialkit/serialkit/serial"
)

// task is one running task. It is made anew for each: a TaskFunc may leave goroutines behind that
// still hold its context and its message.
type task struct {
	reg      *registration // never changes, as the next three
	limits   *Limits
	sequence uint64
	start    time.Time

	ctx     taskContext
	message message
	in      binaryutil.Reader // of the message, for the TaskFunc
	out     atomic.Uint64     // bytes of the answer so far

	places *place    // of LimitConcurrency, the outermost first; for where its middleware runs
	done   *taskDone // Client.mu guards it while the task runs; nil: nothing
}

// newTask returns the task of a code that has been read.
func (c *Client) newTask(code serial.TaskCode) *task {
	c.sequence++
	t := &task{reg: c.server.lookup(code), sequence: c.sequence, start: time.Now()}
	t.limits = c.limitsOf(t.reg)
	c.conn.BeginMessage(t.limits.rate(), t.limits.MessageTime)
	t.ctx.parent, t.ctx.task = c.ctx, t
	t.message.blocks.Reset(c.input)
	t.message.task = t
	t.in.Reset(&t.message, c.order)
	return t
}

// deadline is when the task's time is over; zero: never.
func (t *task) deadline() time.Time { return t.limits.deadline(t.start) }

// inputFailed is called when the message cannot be read on.
func (t *task) inputFailed(err error) {
	if err == transport.ErrInterrupted {
		return // who interrupted it says why
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		err = ErrClientVanished
	}
	t.ctx.stop(err)
}

func (t *task) metadata() *serial.TaskMetadata {
	return &serial.TaskMetadata{
		Code:     t.reg.code,
		Name:     t.reg.name,
		Sequence: t.sequence,
		Start:    t.start,
		BytesIn:  t.message.read.Load(),
		BytesOut: t.out.Load(),
	}
}

// err returns err with what was being done and the task's name.
func (t *task) err(doing string, err error) error {
	return &taskError{doing: doing, code: t.reg.code, name: t.reg.name, err: err}
}

// call calls the TaskFunc. A panic becomes a *PanicError.
func (c *Client) call(t *task) (out io.Reader, err error) {
	defer recovered(&err)
	return t.reg.run(&t.ctx, c, &t.in, c.taskLogger(), c.args...)
}

// closeRecovered closes what a TaskFunc returned. Its error is a panic.
func closeRecovered(out io.Closer) (err error) {
	defer recovered(&err)
	out.Close()
	return nil
}

// recovered turns a panic of the function that defers it into an error. Of two panics the first
// counts.
func recovered(err *error) {
	v := recover()
	if v == nil {
		return
	}
	if _, already := (*err).(*PanicError); !already {
		*err = &PanicError{Value: v, Stack: debug.Stack()}
	}
}

// taskLog caches the logger that is passed to the tasks.
type taskLog struct {
	base, derived *zap.Logger
}

// taskLogger returns the client's logger with the client's address.
func (c *Client) taskLogger() *zap.Logger {
	base := c.Log()
	if base != c.taskLog.base {
		c.taskLog = taskLog{base: base, derived: base}
		if base.Core().Enabled(zapcore.FatalLevel) {
			c.taskLog.derived = base.WithLazy(zap.String("remote", addrString(c.RemoteAddr())))
		}
	}
	return c.taskLog.derived
}
