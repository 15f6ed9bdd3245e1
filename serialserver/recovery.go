package serialserver

import (
	"context"
	"io"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
)

// Recover returns middleware that asks policy what becomes of a task whose TaskFunc has panicked, in place of
// dropping the connection: the error that policy returns is the TaskFunc's, so that one with a code is answered and
// the session goes on. With the PanicError itself, or another error without a code, the connection is dropped as
// without it; nil is an empty answer. The panic is logged, with its stack, also where policy panics itself: that one
// has a line of its own, and drops the connection.
//
// It does not see a panic of the out that a TaskFunc returned: part of the answer may have been sent, and the
// connection is dropped.
func Recover(policy func(c *Client, p *PanicError) error) func(TaskFunc) TaskFunc {
	return func(f TaskFunc) TaskFunc {
		return func(ctx context.Context, c *Client, in binaryutil.BinaryReader, lg *zap.Logger, args ...interface{}) (io.Reader, error) {
			out, p, err := callRecovered(f, ctx, c, in, lg, args)
			if p == nil {
				return out, err
			}
			return nil, decide(policy, c, p, lg)
		}
	}
}

// decide asks policy, of which a panic is an error, and logs p unless that is the answer: then it is logged where the
// connection ends.
func decide(policy func(*Client, *PanicError) error, c *Client, p *PanicError, lg *zap.Logger) (err error) {
	defer func() {
		if err != error(p) {
			lg.Error("task panicked", zap.Error(p), zap.ByteString("stack", p.Stack))
		}
	}()
	defer recovered(&err)
	return policy(c, p)
}

// callRecovered calls f. A panic of it is p.
func callRecovered(f TaskFunc, ctx context.Context, c *Client, in binaryutil.BinaryReader, lg *zap.Logger, args []interface{}) (out io.Reader, p *PanicError, err error) {
	var panicked error
	defer func() { p, _ = panicked.(*PanicError) }()
	defer recovered(&panicked)
	out, err = f(ctx, c, in, lg, args...)
	return out, nil, err
}
