package serialserver

import (
	"context"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
)

// AccessLog returns middleware that logs a line, "task" at info level, for each task that has ended. Its fields are
// those of the logger that the TaskFunc gets, which has the client's address as remote, and
//
//	task      the code, as text        outcome   ok, error, dropped, panicked, failed (Outcome)
//	name      the task's name          duration  from its code to its complete answer
//	in, out   bytes of the message that were read, and of the answer
//	code      the error code that was answered, as text; with outcome error alone
//	error     why the outcome is not ok; not otherwise
func AccessLog() func(TaskFunc) TaskFunc {
	return func(f TaskFunc) TaskFunc {
		return func(ctx context.Context, c *Client, in binaryutil.BinaryReader, lg *zap.Logger, args ...interface{}) (io.Reader, error) {
			c.onDoneOf(c.runningIn(ctx), func(r TaskResult) { lg.Info("task", r.fields()...) })
			return f(ctx, c, in, lg, args...)
		}
	}
}

// SlowTaskLog returns middleware that logs a warning when a task has been running for d, so that one that
// hangs is seen ("slow task", with the fields task, name, sequence, its number on its connection, and running), and
// another one with its result when it ends ("slow task ended", with the fields of AccessLog, and sequence). It costs a
// timer for each task.
func SlowTaskLog(d time.Duration) func(TaskFunc) TaskFunc {
	return func(f TaskFunc) TaskFunc {
		return func(ctx context.Context, c *Client, in binaryutil.BinaryReader, lg *zap.Logger, args ...interface{}) (io.Reader, error) {
			t := c.runningIn(ctx)
			if t == nil { // it was given up by other middleware
				return f(ctx, c, in, lg, args...)
			}
			m := t.metadata()
			timer := time.AfterFunc(d, func() {
				lg.Warn("slow task", zap.Stringer("task", m.Code), zap.String("name", m.Name),
					zap.Uint64("sequence", m.Sequence), zap.Duration("running", d))
			})
			done := c.onDoneOf(t, func(r TaskResult) {
				if !timer.Stop() {
					lg.Warn("slow task ended", append(r.fields(), zap.Uint64("sequence", m.Sequence))...)
				}
			})
			if !done {
				timer.Stop()
			}
			return f(ctx, c, in, lg, args...)
		}
	}
}

// fields are the result for a log line.
func (r TaskResult) fields() []zap.Field {
	fields := []zap.Field{
		zap.Stringer("task", r.Code), zap.String("name", r.Name), zap.Stringer("outcome", r.Outcome),
		zap.Duration("duration", r.Duration), zap.Uint64("in", r.BytesIn), zap.Uint64("out", r.BytesOut),
	}
	if r.Outcome == OutcomeError {
		fields = append(fields, zap.Stringer("code", r.ErrorCode))
	}
	if r.Err != nil {
		fields = append(fields, zap.Error(r.Err))
	}
	return fields
}
