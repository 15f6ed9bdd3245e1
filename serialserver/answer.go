package serialserver

import (
	"errors"
	"io"
	"time"

	"github.com/serialkit/serialkit/internal/transport"
	"github.com/serialkit/serialkit/serial"
)

// answer is what became of a task.
type answer struct {
	outcome Outcome
	code    serial.ErrorCode // with OutcomeError
	end     *ending          // the connection cannot go on
}

// result is the answer for Metrics.
func (a answer) result(t *task) TaskResult {
	return TaskResult{
		Code:      t.reg.code,
		Name:      t.reg.name,
		Outcome:   a.outcome,
		ErrorCode: a.code,
		Duration:  time.Since(t.start),
		BytesIn:   t.message.read.Load(),
		BytesOut:  t.out.Load(),
	}
}

// answer runs t's TaskFunc and writes its answer.
func (c *Client) answer(t *task) answer {
	c.output.Lend()
	out, err := c.call(t)
	c.output.Reclaim() // its error sticks
	if err != nil {
		return c.answerError(t, closeOut(out, err))
	}
	if err = c.writeOK(t, out); err != nil {
		return c.dropped(t, "answering", err)
	}
	return answer{outcome: OutcomeOK}
}

// answerError answers a task that returned an error.
func (c *Client) answerError(t *task, err error) answer {
	code, ok, err := errorCode(err)
	if !ok {
		return c.dropped(t, "running", err)
	}
	c.output.WriteByte(byte(serial.ResponseError))
	if err := c.output.WriteByte(byte(code)); err != nil {
		return c.dropped(t, "answering", err)
	}
	return answer{outcome: OutcomeError, code: code}
}

// errorCode returns the code that err answers with, and whether it has one. The methods of err are
// the application's. If they panic, as those of a nil pointer do, the panic is returned, and err
// otherwise.
func errorCode(err error) (code serial.ErrorCode, ok bool, sound error) {
	if _, panicked := err.(*PanicError); panicked {
		return 0, false, err
	}
	defer recovered(&sound)
	var coder serial.ErrorCoder
	if errors.As(err, &coder) {
		return coder.ErrorCode(), true, err
	}
	return 0, false, err
}

// dropped is the answer of a task that gets none: the connection ends without the 00 of a stream
// and without Goodbye, for the task may have run.
func (c *Client) dropped(t *task, doing string, err error) answer {
	_, _, err = errorCode(err) // from here on it can be asked what it wraps
	if p, ok := err.(*PanicError); ok {
		return answer{OutcomePanicked, 0, &ending{reason: ClosedDropped, err: t.err(doing, err), panic: p}}
	}
	if werr := c.output.Err(); werr != nil {
		return answer{OutcomeFailed, 0, &ending{reason: ClosedWrite, err: t.err("answering", werr)}}
	}
	if rerr := t.message.failure(); rerr != nil {
		return answer{OutcomeFailed, 0, &ending{reason: ClosedRead, err: t.err("reading the message of", rerr)}}
	}
	return answer{OutcomeDropped, 0, &ending{reason: ClosedDropped, err: t.err(doing, err)}}
}

// writeOK answers with what out has to say, and closes out, also where out ends its goroutine.
func (c *Client) writeOK(t *task, out io.Reader) (err error) {
	defer func() { err = closeOut(out, err) }()
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

// emptyReads is how many times in a row out may return neither byte nor error.
const emptyReads = 100

// copyOut copies out to the blocks. What does not know its length may be a live stream: the output
// is lent while it is waited for, and flushed after each read.
func (c *Client) copyOut(t *task, out io.Reader) error {
	_, coalesce := out.(interface{ Len() int })
	buf := transport.Scratch()
	defer transport.Release(buf)
	for empty := 0; empty < emptyReads; empty++ {
		n, err := c.readOut(out, buf[:], !coalesce)
		if n > 0 {
			empty = -1
			t.out.Add(uint64(n))
			if _, err := c.blocks.Write(buf[:n]); err != nil {
				return err
			}
			if !coalesce {
				c.blocks.Flush()
				c.output.Flush()
			}
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

// readOut reads out once, with the output lent if that may last.
func (c *Client) readOut(out io.Reader, p []byte, lend bool) (int, error) {
	if lend {
		c.output.Lend()
		defer c.output.Reclaim()
	}
	return out.Read(p)
}
