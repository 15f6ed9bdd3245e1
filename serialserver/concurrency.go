package serialserver

import (
	"context"
	"io"
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
// A client that sends its message slowly, or takes its answer slowly, has its place meanwhile: as long as it keeps to
// the minimum rate, for Limits.MessageTime each. Where clients are not trusted give these task codes less time
// (SetTaskLimits).
//
// Without it the tasks at a time are bounded by the clients, each of which has one.
func LimitConcurrency(n int, wait time.Duration) func(TaskFunc) TaskFunc {
	if n < 1 {
		panic("serialserver: LimitConcurrency below 1")
	}
	places := semaphore.NewWeighted(int64(n))
	leave := func(TaskResult) { places.Release(1) }
	return func(f TaskFunc) TaskFunc {
		return func(ctx context.Context, c *Client, in binaryutil.BinaryReader, lg *zap.Logger, args ...interface{}) (io.Reader, error) {
			if err := enter(ctx, places, wait); err != nil {
				return nil, err
			}
			if !c.OnTaskDone(leave) { // the task was given up by other middleware
				defer places.Release(1)
			}
			return f(ctx, c, in, lg, args...)
		}
	}
}

// enter waits for a place until ctx is done, for at most wait.
func enter(ctx context.Context, places *semaphore.Weighted, wait time.Duration) error {
	if places.TryAcquire(1) {
		return nil
	}
	if wait > 0 {
		waiting, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		if places.Acquire(waiting, 1) == nil {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return serial.Errorf(serial.ErrorBusy, "serialserver: too many tasks at a time")
}
