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
			ctx, cancel := context.WithTimeoutCause(ctx, d, ErrTaskTimeout)
			c.OnTaskDone(func(TaskResult) { cancel() })
			out, err := f(ctx, c, in, lg, args...)
			if err != nil && context.Cause(ctx) == ErrTaskTimeout && isContextError(err) {
				err = timedOut(err)
			}
			return out, err
		}
	}
}

// timedOut gives err, which a context has ended with, its code unless it has one.
func timedOut(err error) error {
	if _, coded, sound := errorCode(err); coded || sound != err {
		return err
	}
	return serial.Errorf(serial.ErrorDeadlineExceeded, "%w", err)
}
