package serialserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/internal/transport"
	"github.com/serialkit/serialkit/serial"
)

// answer is what became of a task.
type answer struct {
	outcome Outcome
	code    serial.ErrorCode // with OutcomeError
	err     error            // why the outcome is not OutcomeOK
	end     *ending          // the connection cannot go on
}

// result is the answer for Metrics.
func (a answer) result(t *task) TaskResult {
	return TaskResult{
		Code:      t.reg.code,
		Name:      t.reg.name,
		Outcome:   a.outcome,
		ErrorCode: a.code,
		Err:       a.err,
		Duration:  time.Since(t.start),
		BytesIn:   t.message.read.Load(),
		BytesOut:  t.out.Load(),
	}
}

// answer runs t's TaskFunc, writes its answer and closes out, also where out ends its goroutine.
func (c *Client) answer(t *task) (a answer) {
	c.output.Lend()
	out, err := c.call(t)
	c.output.Reclaim() // its error sticks
	if closer, ok := out.(io.Closer); ok {
		defer func() { a = c.closeOut(t, closer, a) }()
	}
	if err != nil {
		return c.answerError(t, err)
	}
	if err = c.writeOK(t, out); err != nil {
		return c.dropped(t, "answering", err)
	}
	return answer{outcome: OutcomeOK}
}

// closeOut closes what t's TaskFunc returned. That may last, so the output is lent: the answer is on its
// way. What Close returns comes too late to matter, and its panic ends the connection.
func (c *Client) closeOut(t *task, out io.Closer, a answer) answer {
	c.output.Lend()
	err := closeRecovered(out)
	c.output.Reclaim()
	if err != nil && a.outcome != OutcomePanicked {
		return c.dropped(t, "closing the answer of", err)
	}
	return a
}

// answerError answers a task that returned an error.
func (c *Client) answerError(t *task, err error) answer {
	code, ok, err := errorCode(err)
	if !ok {
		code, ok = c.stoppedCode(t, err)
	}
	if !ok {
		return c.dropped(t, "running", err)
	}
	c.output.WriteByte(byte(serial.ResponseError))
	if err := c.output.WriteByte(byte(code)); err != nil {
		return c.dropped(t, "answering", err)
	}
	c.logError(t, code, err)
	return answer{outcome: OutcomeError, code: code, err: err}
}

// logError logs for the curious why a task answered with an error code: the client gets the code
// alone.
func (c *Client) logError(t *task, code serial.ErrorCode, err error) {
	if err == errUnknownTask {
		return // has had its line
	}
	if line := c.taskLogger().Check(zap.DebugLevel, "task answered with an error"); line != nil {
		line.Write(zap.Stringer("task", t.reg.code), zap.String("name", t.reg.name),
			zap.Stringer("code", code), zap.Error(err))
	}
}

// errorCode returns the code that err answers with, and whether it has one. The methods of err are
// the application's. If they panic, as those of a nil pointer do, the panic is returned, and err
// otherwise.
func errorCode(err error) (code serial.ErrorCode, ok bool, sound error) {
	if p, panicked := err.(*PanicError); panicked && p != nil {
		return 0, false, err
	}
	defer recovered(&sound)
	if coder, itself := err.(serial.ErrorCoder); itself { // errors.As would allocate
		return coder.ErrorCode(), true, err
	}
	var coder serial.ErrorCoder
	if errors.As(err, &coder) {
		return coder.ErrorCode(), true, err
	}
	return 0, false, err
}

// stoppedCode returns the code of a task that returned the error of its context, or what wraps that, because
// it was cancelled or its time was over.
func (c *Client) stoppedCode(t *task, err error) (code serial.ErrorCode, ok bool) {
	if deadline := t.deadline(); !deadline.IsZero() && !time.Now().Before(deadline) {
		t.ctx.stop(ErrTaskTimeout) // which its timer is about to do
	}
	switch cause := t.ctx.stopped(); cause {
	case ErrTaskCancelled:
		code = serial.ErrorCancelled
	case ErrTaskTimeout:
		code = serial.ErrorDeadlineExceeded
	default:
		return 0, false
	}
	if c.output.Err() != nil || t.message.failure() != nil {
		return 0, false
	}
	return code, isContextError(err)
}

// isContextError reports whether err is or wraps what a context ends with. What it wraps is the
// application's, and may panic.
func isContextError(err error) (is bool) {
	defer recovered(new(error))
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrTaskCancelled)
}

// dropped is the answer of a task that gets none: the connection ends without the 00 of a stream
// and without Goodbye, for the task may have run.
func (c *Client) dropped(t *task, doing string, err error) answer {
	_, _, err = errorCode(err) // from here on it can be asked what it wraps
	outcome, reason := OutcomeDropped, ClosedDropped
	p, panicked := err.(*PanicError)
	if panicked {
		outcome = OutcomePanicked
	} else if werr := c.output.Err(); werr != nil {
		outcome, reason, doing, err = OutcomeFailed, ClosedWrite, "answering", joined(werr, err)
	} else if rerr := t.message.failure(); rerr != nil {
		outcome, reason, doing, err = OutcomeFailed, ClosedRead, "reading the message of", joined(rerr, err)
	}
	end := &ending{reason: reason, err: t.err(doing, err), panic: p}
	return answer{outcome: outcome, err: err, end: end}
}

// joined returns an error that is the cause and err, which may be or wrap it already.
func joined(cause, err error) (both error) {
	both = cause
	defer recovered(new(error)) // what is compared is the application's
	if errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", cause, err)
}

// writeOK answers with what out has to say.
func (c *Client) writeOK(t *task, out io.Reader) (err error) {
	defer recovered(&err)
	if err := c.output.WriteByte(byte(serial.ResponseOK)); err != nil {
		return err
	}
	c.blocks.Reset(c.output)
	if out != nil {
		if err := c.copyOut(t, out); err != nil {
			return err
		}
	}
	return c.blocks.Close()
}

var errInvalidRead = errors.New("serialserver: out returned an invalid count from Read")

// emptyReads is how many times in a row out may return neither byte nor error.
const emptyReads = 100

// copyOut copies out to the blocks. The output is lent while out is read, which may last, unless it is in
// memory. What does not know its length may be a live stream: the output is flushed after each read.
func (c *Client) copyOut(t *task, out io.Reader) error {
	if small, ok := inMemory(out); ok && small.Len() <= transport.BufferSize {
		n, err := small.WriteTo(&c.blocks)
		t.out.Add(uint64(n))
		return err
	}
	_, coalesce := out.(interface{ Len() int })
	_, ready := inMemory(out)
	buf := transport.Scratch()
	defer func() { transport.Release(buf) }()
	for empty := 0; empty < emptyReads; empty++ {
		p := buf[:len(buf)/(serial.MaxBlock+1)*serial.MaxBlock] // as blocks these fill the output
		n, err := c.readOut(out, p, !ready)
		if n < 0 || n > len(p) {
			return errInvalidRead
		}
		if n > 0 {
			empty = -1
			t.out.Add(uint64(n))
			if _, err := c.blocks.Write(p[:n]); err != nil {
				return err
			}
			if !coalesce {
				c.blocks.Flush()
				c.output.Flush()
			}
		}
		if n == len(p) {
			buf = transport.Bulk(buf)
		}
		switch {
		case c.output.Err() != nil:
			return c.output.Err()
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
	return io.ErrNoProgress
}

// memory is an out that never waits for anything.
type memory interface {
	io.WriterTo
	Len() int
}

// inMemory returns out as what it is if it is known to be in memory.
func inMemory(out io.Reader) (memory, bool) {
	switch out := out.(type) {
	case *bytes.Reader:
		return out, true
	case *bytes.Buffer:
		return out, true
	case *binaryutil.Buffer:
		return out, true
	}
	return nil, false
}

// readOut reads out once, with the output lent if that may last.
func (c *Client) readOut(out io.Reader, p []byte, lend bool) (int, error) {
	if lend {
		c.output.Lend()
		defer c.output.Reclaim()
	}
	return out.Read(p)
}
