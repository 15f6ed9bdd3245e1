package logclient

import (
	"errors"
	"io"
	"slices"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// flight is what the sender and the receiver of a connection share. Client.mu guards it.
type flight struct {
	batches  []*batch // sent and not answered, in their order
	sending  *batch   // the one of them that Send has
	epoch    uint64   // theirs on the wire: there is one only, see takeNext
	position uint64   // how far the spool was read
	tried    uint64   // how far it was ever sent
	held     *batch   // the oldest batch of the spool, some of whose records were dropped; else nil
	heldSent bool     // it is among batches, or was refused

	leftOut bool // nothing was left of a batch, so its number is left out: the next batch needs a new epoch
	foreign bool // the collector has a batch of this number that is not ours; until the producer has a new id

	refusal  error // why the collector has refused the first of batches; then no more are sent
	broken   error // why the connection has ended
	answered bool  // it has acknowledged something
}

// rewindLocked makes everything that is not acknowledged be sent again. The connection must have no answers to come.
func (c *Client) rewindLocked() {
	f := &c.flight
	f.batches, f.epoch, f.refusal = nil, 0, nil
	f.heldSent = false
	c.queue.next = 0
	for c.queue.next < len(c.queue.sealed) && c.queue.sealed[c.queue.next].acked {
		c.queue.next++
	}
	if c.spool != nil {
		c.spool.Rewind()
		f.position = c.spool.Acked()
	}
}

// readyLocked reports whether there is a batch to be sent.
func (c *Client) readyLocked() bool {
	f := &c.flight
	return f.held != nil && !f.heldSent || c.queue.spoolEnd > f.position || c.queue.next < len(c.queue.sealed)
}

// peek returns the next batch to be sent, and nil if there is none after all: what is left of the spool is damaged. The error is the
// disk's. Only the sender calls it, and so only the sender moves position, but for batches that are in flight already.
func (c *Client) peek() (*batch, error) {
	c.mu.Lock()
	f, until := &c.flight, c.queue.spoolEnd
	after := f.position
	if f.held != nil && !f.heldSent {
		defer c.mu.Unlock()
		return f.held, nil
	}
	if until <= after {
		defer c.mu.Unlock()
		if c.queue.next == len(c.queue.sealed) {
			return nil, nil
		}
		b := c.queue.sealed[c.queue.next]
		c.numberLocked(b)
		return b, nil
	}
	c.mu.Unlock()

	frame, err := c.spool.Next(after, until)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		f.position = max(f.position, until)
		c.resolveTailLocked()
		return nil, nil
	}
	b := &batch{count: frame.Count, key: frame.Key, spooled: true, end: frame.End}
	b.buf = append(make([]byte, logwire.BatchHeadSize, logwire.BatchHeadSize+len(frame.Records)), frame.Records...)
	return b, nil // takeOff moves position: what is before it and not in flight is taken to be lost.
}

// waitsLocked reports whether a batch that peek has returned still waits to be sent: the lock was not held since, and it was
// not yet sent, so it may have been dropped to make room.
func (c *Client) waitsLocked(b *batch) bool {
	q := &c.queue
	switch {
	case b == c.flight.held:
		return true
	case b.spooled:
		return c.spool.Holds(b.end)
	default:
		return q.next < len(q.sealed) && q.sealed[q.next] == b
	}
}

// resolveTailLocked gives up what nothing in the spool follows, once everything before it is acknowledged. After a refusal, and at the end
// of a connection, what is not in flight may have been taken from it unanswered, and is to be sent again.
func (c *Client) resolveTailLocked() {
	f := &c.flight
	spooled := func(b *batch) bool { return b.spooled }
	if c.spool == nil || f.refusal != nil || f.broken != nil || slices.ContainsFunc(f.batches, spooled) || f.held != nil || f.position < c.queue.spoolEnd || c.ledger.Spooled == 0 {
		return
	}
	c.ackSpoolLocked(f.position, 0, 0)
}

// ackSpoolLocked resolves the spool up to the position. Of the records there, count are acknowledged or were counted as
// dropped by the caller; of these dropped are not in Ledger.Spooled any more. What else there was is damaged.
func (c *Client) ackSpoolLocked(position uint64, count, dropped uint64) {
	resolved := c.spool.Ack(position)
	c.ledger.Spooled -= resolved - dropped
	if lost := resolved - count; lost > 0 {
		c.ledger.Dropped.Corrupt += lost
		c.trouble.report(SpoolDamaged, damagedError(lost))
	}
	q := &c.queue
	for len(q.spoolWaiters) > 0 && (q.spoolWaiters[0].position <= position || c.ledger.Spooled == 0) {
		close(q.spoolWaiters[0].done)
		q.spoolWaiters = q.spoolWaiters[1:]
	}
	c.signal() // Segments may be removed.
	c.idle.Broadcast()
}

// resolveLocked removes the oldest batch: it was acknowledged, or all its records were dropped.
func (c *Client) resolveLocked(b *batch) {
	c.ledger.Acknowledged += uint64(b.count)
	if b.spooled {
		c.ackSpoolLocked(b.end, uint64(b.count+b.rejected), uint64(b.rejected))
		if c.flight.held == b {
			c.flight.held, c.flight.heldSent = nil, false
		}
	} else {
		c.ledger.Memory -= uint64(b.count)
		c.popLocked(b)
	}
	b.wakeWaiters()
	c.idle.Broadcast()
}

// pendingLocked reports whether anything waits.
func (c *Client) pendingLocked() bool { return c.ledger.Memory+c.ledger.Spooled > 0 }
