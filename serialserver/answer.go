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
	if werr := c.output.Reclaim(); werr != nil {
		closeOut(out)
		return answer{OutcomeFailed, 0, &ending{reason: ClosedWrite, err: t.err("answering", werr)}}
	}
	if err != nil {
		closeOut(out)
		return c.answerError(t, err)
	}
	err = c.answerOK(t, out)
	if cerr := closeOut(out); err == nil {
		var p *PanicError
		if errors.As(cerr, &p) {
			err = cerr
		}
	}
	if err != nil {
		return c.dropped(t, "answering", err)
	}
	return answer{outcome: OutcomeOK}
}

// answerError answers a task that returned an error.
func (c *Client) answerError(t *task, err error) answer {
	var p *PanicError
	var coder serial.ErrorCoder
	if errors.As(err, &p) || !errors.As(err, &coder) {
		return c.dropped(t, "running", err)
	}
	code, err := errorCode(coder)
	if err != nil {
		return c.dropped(t, "running", err)
	}
	c.output.WriteByte(byte(serial.ResponseError))
	if err := c.output.WriteByte(byte(code)); err != nil {
		return c.dropped(t, "answering", err)
	}
	return answer{outcome: OutcomeError, code: code}
}

func errorCode(coder serial.ErrorCoder) (code serial.ErrorCode, err error) {
	defer recovered(&err)
	return coder.ErrorCode(), nil
}

// dropped is the answer of a task that gets none: the connection ends without the 00 of a stream
// and without Goodbye, for the task may have run.
func (c *Client) dropped(t *task, doing string, err error) answer {
	var p *PanicError
	switch {
	case c.output.Err() != nil:
		return answer{OutcomeFailed, 0, &ending{reason: ClosedWrite, err: t.err(doing, c.output.Err())}}
	case errors.As(err, &p):
		return answer{OutcomePanicked, 0, &ending{reason: ClosedDropped, err: t.err(doing, err)}}
	case t.message.failure() != nil:
		err = t.err("reading the message of", t.message.failure())
		return answer{OutcomeFailed, 0, &ending{reason: ClosedRead, err: err}}
	}
	return answer{OutcomeDropped, 0, &ending{reason: ClosedDropped, err: t.err(doing, err)}}
}

// answerOK answers with what out has to say.
func (c *Client) answerOK(t *task, out io.Reader) (err error) {
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
