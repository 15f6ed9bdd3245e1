package logclient

import (
	"errors"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/spool"
)

// keep is the keeper: it seals batches that have waited for long enough, and does all that is written to the spool but for
// its identity. It ends when Close says so.
func (c *Client) keep() {
	defer close(c.keeper)
	linger := time.NewTimer(0)
	<-linger.C
	lingering := false
	retry := time.NewTimer(0)
	<-retry.C
	for {
		select {
		case <-c.kick:
		case <-linger.C:
			lingering = false
			c.mu.Lock()
			c.sealLocked()
			c.mu.Unlock()
		case <-retry.C:
		}
		c.mu.Lock()
		ending := c.ending // Asked first: the work after that is the last one.
		c.mu.Unlock()
		c.work(retry)
		if c.options.worked != nil {
			c.options.worked()
		}
		c.mu.Lock()
		open := c.queue.open != nil
		c.mu.Unlock()
		if ending {
			return
		}
		if open && !lingering {
			linger.Reset(c.options.Linger)
			lingering = true
		}
	}
}

// work does what there is to do with the spool.
func (c *Client) work(retry *time.Timer) {
	if c.spool == nil {
		return
	}
	c.mu.Lock()
	c.spoolFull = false // Perhaps; the next attempt tells.
	c.mu.Unlock()
	for {
		if err := c.spool.Clean(); err != nil {
			c.trouble.report(SpoolFailed, err)
			retry.Reset(c.options.Pause)
		}
		if !c.spill(retry) {
			return
		}
	}
}

// mustSpillLocked reports whether what is in memory is to be moved to the spool.
func (c *Client) mustSpillLocked() bool {
	q := &c.queue
	if c.spool == nil || len(q.sealed) == 0 || q.spilling > 0 || c.spoolFull || time.Now().Before(c.spoolWait) && !c.draining {
		return false
	}
	return c.draining || c.ledger.Away || q.bytes > c.options.QueueBytes/2 ||
		c.ledger.Memory > uint64(c.options.QueueRecords)/2
}

// spill moves what is sealed to the spool, those batches among it that are on their way: what is in the spool is older
// than what is in memory. It reports whether there may be more to move.
func (c *Client) spill(retry *time.Timer) bool {
	c.mu.Lock()
	if !c.mustSpillLocked() {
		c.mu.Unlock()
		return false
	}
	moved := c.captureLocked()
	c.mu.Unlock()
	ends, err := c.spool.Append(moved)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.adoptLocked(ends)
	switch {
	case err == nil:
		return true
	case errors.Is(err, spool.ErrFull):
		if c.options.Policy == DropOldest && c.dropSegmentLocked() {
			return true
		}
		c.spoolFull = true
	default:
		c.trouble.report(SpoolFailed, err)
		c.spoolWait = time.Now().Add(c.options.Pause)
		retry.Reset(c.options.Pause)
	}
	return false
}

// captureLocked returns the sealed batches, numbered.
func (c *Client) captureLocked() []spool.Batch {
	q := &c.queue
	q.spilling = len(q.sealed)
	moved := make([]spool.Batch, 0, q.spilling)
	for _, b := range q.sealed {
		c.numberLocked(b)
		b.spilling, b.rejected = true, 0
		moved = append(moved, spool.Batch{Key: b.key, Count: b.count, Records: b.records()})
	}
	return moved
}

// adoptLocked takes the batches out of memory that are in the spool now, up to these positions.
func (c *Client) adoptLocked(ends []uint64) {
	q := &c.queue
	for i, b := range q.sealed[:q.spilling] {
		b.spilling = false
		if i < len(ends) {
			c.moveLocked(b, ends[i], i < q.next)
		}
	}
	gone := len(ends)
	for gone < q.spilling && q.sealed[gone].acked {
		q.bytes -= len(q.sealed[gone].buf)
		gone++
	}
	clear(q.sealed[:gone])
	q.sealed, q.spilling = q.sealed[gone:], 0
	q.next = max(0, q.next-gone)
	c.wake.Signal()
	c.idle.Broadcast()
}

// moveLocked makes a batch one of the spool, which ends at this position there. sent is true if it is on its way, or was acknowledged.
func (c *Client) moveLocked(b *batch, end uint64, sent bool) {
	q, f := &c.queue, &c.flight
	q.spoolEnd = end
	q.bytes -= len(b.buf)
	if sent {
		f.position = max(f.position, end)
	}
	if b.acked {
		c.spool.Ack(end)
		return
	}
	b.spooled, b.end = true, end
	c.ledger.Memory -= uint64(b.count)
	c.ledger.Spooled += uint64(b.count)
	if b.tried {
		f.tried = max(f.tried, end)
	}
	if b.rejected > 0 { // What is on the disk has the records that were dropped.
		f.held, f.heldSent = b, sent
	}
	c.waitForSpoolLocked(b.waiters)
	b.waiters = nil
}

// dropSegmentLocked makes room in the spool. It reports false if there is nothing to drop.
func (c *Client) dropSegmentLocked() bool {
	records, ok := c.spool.DropOldest(c.flight.tried)
	if !ok {
		return false
	}
	c.ledger.Spooled -= records
	c.ledger.Dropped.SpoolFull += records
	c.trouble.report(Dropped, spool.ErrFull)
	return true
}
