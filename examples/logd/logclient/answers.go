package logclient

import (
	"errors"
	"fmt"
	"io"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

// errAnswer: an answer acknowledges another batch than the one it answers.
var errAnswer = errors.New("logclient: the answer acknowledges another batch")

// errForeign: what the collector has under the number of a batch that was never sent before is another's.
var errForeign = errors.New("logclient: another process has the same producer id and epoch")

// damagedError says how many records were.
type damagedError uint64

func (e damagedError) Error() string {
	return fmt.Sprintf("logclient: %d records in the spool were damaged", uint64(e))
}

// receive takes the answers of a connection, in the order of its batches, until it ends.
func (c *Client) receive(p *serialclient.Pipeline) {
	var answer []byte
	for {
		var err error
		answer, err = p.Receive(answer[:0])
		if err == io.EOF {
			return
		}
		var code serial.ErrorCoder
		if err != nil && !errors.As(err, &code) {
			c.connectionEnded(err)
			return
		}
		if err == nil {
			var a logwire.AppendAnswer
			a, err = logwire.ParseAppendAnswer(answer)
			if isMalformed(err) || err == nil && !c.acknowledge(a) {
				c.connectionEnded(errors.Join(errAnswer, err))
				return
			}
		}
		if err != nil {
			c.refused(err)
		}
	}
}

// isMalformed reports whether err says that the answer itself means nothing.
func isMalformed(err error) bool {
	var field *logwire.FieldError
	return errors.As(err, &field) && field.Field == "answer"
}

// acknowledge resolves the first batch of the flight. It reports false if the answer cannot be its.
func (c *Client) acknowledge(a logwire.AppendAnswer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &c.flight
	if len(f.batches) == 0 || f.refusal != nil && !f.foreign {
		return false // What follows a batch that was refused cannot be stored.
	}
	b := f.batches[0]
	f.batches = f.batches[1:]
	if f.foreign || !a.Stored && b.fresh {
		f.foreign, f.refusal = true, errForeign
		c.wake.Signal()
		return true
	}
	f.answered = true
	c.ledger.Away = false
	if !a.Stored {
		c.ledger.Repeated++
	}
	if c.queue.limit < c.options.BatchRecords && b.rejected == 0 {
		c.queue.limit = min(2*c.queue.limit, c.options.BatchRecords)
	}
	c.resolveLocked(b)
	c.resolveTailLocked()
	c.wake.Signal()
	return true
}

// refused takes note of a refusal. Only the first one counts: those behind it are refused for the gap that it leaves.
func (c *Client) refused(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &c.flight
	b := f.batches[0]
	f.batches = f.batches[1:]
	if f.refusal == nil {
		f.refusal = err
		var field *logwire.FieldError
		if errors.As(err, &field) {
			c.dropRejectedLocked(b, field)
		}
	}
	c.wake.Signal()
}

// minLimit is how many records a batch has at least after some were rejected.
const minLimit = 32

// dropRejectedLocked drops the record that was refused, or the whole batch if it is not said which.
func (c *Client) dropRejectedLocked(b *batch, e *logwire.FieldError) {
	n, size := uint64(1), len(b.buf)
	if !b.without(e.Record) {
		n = uint64(b.count)
		b.count = 0
	}
	if !b.spooled {
		c.queue.bytes -= size - len(b.buf)
	}
	c.ledger.Dropped.Rejected += n
	if b.spooled {
		c.ledger.Spooled -= n
		c.flight.held, c.flight.heldSent = b, true
	} else {
		c.ledger.Memory -= n
	}
	if b.spooled || b.spilling {
		b.rejected += int(n)
	}
	c.trouble.report(Rejected, e)
	if b.count == 0 { // It is not kept until it could be sent: that may be long, and the spool has no empty batches.
		c.flight.leftOut = true
		c.resolveLocked(b)
	}
	// Each record that is refused costs sending its batch again: with many of them batches had better be small.
	c.queue.limit = max(c.queue.limit/2, min(minLimit, c.options.BatchRecords))
}

// connectionEnded tells the sender.
func (c *Client) connectionEnded(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flight.broken == nil {
		c.flight.broken = err
	}
	c.wake.Signal()
}
