package serialserver

import (
	"bytes"
	"context"
	"io"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
)

// MessageFunc handles tasks whose message and answer are in memory as a whole; see WholeMessage. The message
// is the function's to keep and to change. The answer, which may be a part of it, is the server's until the
// task's context is done.
type MessageFunc func(ctx context.Context, c *Client, message []byte, lg *zap.Logger, args ...interface{}) (answer []byte, err error)

// WholeMessage returns a TaskFunc that reads the whole message, calls f and sends what f returns. A message over
// Limits.MaxMessage is answered with error 251 (too large), without f; so is an answer over Limits.MaxAnswer.
// Memory is taken as the message arrives, at most twice of what has arrived. Errors are as with any
// TaskFunc.
func WholeMessage(f MessageFunc) TaskFunc {
	return func(ctx context.Context, c *Client, in binaryutil.BinaryReader, lg *zap.Logger, args ...interface{}) (io.Reader, error) {
		limits := c.taskLimits()
		message, err := readWhole(in, limits.MaxMessage)
		if err != nil {
			return nil, err
		}
		answer, err := f(ctx, c, message, lg, args...)
		if err != nil {
			return nil, err
		}
		if limits.MaxAnswer >= 0 && int64(len(answer)) > limits.MaxAnswer {
			return nil, serial.Errorf(serial.ErrorTooLarge, "serialserver: answer of %d bytes, the limit is %d", len(answer), limits.MaxAnswer)
		}
		return bytes.NewReader(answer), nil
	}
}

// readWhole reads in to its end, which comes after limit bytes at the latest; negative: whenever.
func readWhole(in io.Reader, limit int64) ([]byte, error) {
	if limit < 0 {
		return io.ReadAll(in)
	}
	message, err := io.ReadAll(io.LimitReader(in, limit))
	if err != nil || int64(len(message)) < limit {
		return message, err
	}
	switch _, err := io.ReadFull(in, make([]byte, 1)); err {
	case io.EOF:
		return message, nil
	case nil:
		return nil, serial.Errorf(serial.ErrorTooLarge, "serialserver: message of more than the limit of %d bytes", limit)
	default:
		return nil, err
	}
}
