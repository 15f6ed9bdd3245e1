package serialserver

import (
	"context"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
)

// TaskTimeout returns middleware that ends the context of a task after d, for the cause ErrTaskTimeout, also
// while its answer is being sent. A TaskFunc that then returns the error of its context is answered with error
// 254 (deadline exceeded). It is Limits.TaskTime for what the middleware is put around, and costs a timer
// for each task.
func TaskTimeout(d time.Duration) func(TaskFunc) TaskFunc {
	return func(f TaskFunc) TaskFunc {
		return func(ctx context.Context, c *Client, in binaryutil.BinaryReader, lg *zap.Logger, args ...interface{}) (io.Reader, error) {
			until := time.Now().Add(d)
			ctx, cancel := context.WithDeadlineCause(ctx, until, ErrTaskTimeout)
			if !c.onDoneOf(c.runningIn(ctx), func(TaskResult) { cancel() }) {
				defer cancel()
			}
			out, err := f(ctx, c, in, lg, args...)
			if err != nil && overdue(ctx, until) && isContextError(err) {
				err = timedOut(err)
			}
			return out, err
		}
	}
}

// overdue reports whether a context that is done at a time is, for that reason, or is just about to be.
func overdue(ctx context.Context, until time.Time) bool {
	cause := context.Cause(ctx)
	return cause == ErrTaskTimeout || cause == nil && !time.Now().Before(until)
}

// timedOut gives err, which a context has ended with, its code unless it has one.
func timedOut(err error) error {
	_, coded, sound := errorCode(err)
	if _, panicked := sound.(*PanicError); coded || panicked {
		return err
	}
	return serial.Errorf(serial.ErrorDeadlineExceeded, "%w", err)
}
