package logclient

import (
	"slices"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/logclient/spool"
)

// queue is what waits in memory, and behind what waits in the spool. Client.mu guards it.
type queue struct {
	open     *batch   // takes records; nil: none yet
	sealed   []*batch // the oldest first
	next     int      // the index in sealed of the next one to be sent
	spilling int      // how many at the front are being written to the spool
	bytes    int      // of all buffers
	sequence uint64   // of the last key
	limit    int      // how many records a batch may have now
	free     [][]byte // buffers to use again

	spoolEnd     uint64        // the position behind the last batch that is in the spool and not in sealed
	spoolWaiters []spoolWaiter // by position
}

type spoolWaiter struct {
	position uint64
	done     chan struct{}
}

// maxFree is how many buffers are kept.
const maxFree = 16

// takeLocked appends a record. It reports false if there is no room.
func (c *Client) takeLocked(r *logwire.Record) bool {
	n := logwire.RecordPrefix + r.Size()
	q := &c.queue
	if q.open != nil && (q.open.count >= q.limit || len(q.open.buf)+n > max(c.options.BatchBytes, logwire.BatchHeadSize+n)) {
		c.sealLocked()
	}
	for c.ledger.Memory+1 > uint64(c.options.QueueRecords) || q.bytes+n+logwire.BatchHeadSize > c.options.QueueBytes {
		if c.options.Policy != DropOldest || !c.dropOldestLocked() {
			return false
		}
	}
	if q.open == nil {
		q.open = new(batch)
		q.open.reset(q.buffer())
		q.bytes += len(q.open.buf)
		c.signal() // It begins to linger.
	}
	q.open.add(r)
	q.bytes += n
	c.ledger.Memory++
	if q.open.count >= q.limit {
		c.sealLocked()
	}
	return true
}

func (q *queue) buffer() []byte {
	if n := len(q.free); n > 0 {
		b := q.free[n-1]
		q.free = q.free[:n-1]
		return b
	}
	return nil
}

// release keeps a buffer that nobody has any more.
func (q *queue) release(b *batch) {
	if len(q.free) < maxFree {
		q.free = append(q.free, b.buf)
	}
}

// sealLocked lets the open batch be sent.
func (c *Client) sealLocked() {
	q := &c.queue
	if q.open == nil {
		return
	}
	q.sealed, q.open = append(q.sealed, q.open), nil
	c.wake.Signal()
	if c.mustSpillLocked() {
		c.signal()
	}
}

// numberLocked gives a batch its key.
func (c *Client) numberLocked(b *batch) {
	if b.key.Epoch == 0 {
		c.queue.sequence++
		b.key = spool.Key{Epoch: c.epoch, Sequence: c.queue.sequence}
	}
}

// dropOldestLocked drops the oldest batch that was never sent and is not being written. It reports false if there
// is none.
func (c *Client) dropOldestLocked() bool {
	q := &c.queue
	i := max(q.next, q.spilling)
	for i < len(q.sealed) && q.sealed[i].tried {
		i++
	}
	var b *batch
	switch {
	case i < len(q.sealed):
		b = q.sealed[i]
		q.sealed = slices.Delete(q.sealed, i, i+1)
	case q.open != nil:
		b, q.open = q.open, nil
	default:
		return false
	}
	q.bytes -= len(b.buf)
	c.ledger.Memory -= uint64(b.count)
	if c.spool != nil {
		c.ledger.Dropped.SpoolFull += uint64(b.count)
	} else {
		c.ledger.Dropped.QueueFull += uint64(b.count)
	}
	c.trouble.report(Dropped, ErrFull)
	if i > 0 && !q.sealed[i-1].acked {
		q.sealed[i-1].waiters = append(q.sealed[i-1].waiters, b.waiters...)
	} else {
		c.waitForSpoolLocked(b.waiters)
	}
	c.idle.Broadcast()
	return true
}

// waitForSpoolLocked makes waiters wait for what is in the spool.
func (c *Client) waitForSpoolLocked(waiters []chan struct{}) {
	for _, done := range waiters {
		if c.ledger.Spooled == 0 {
			close(done)
		} else {
			c.queue.spoolWaiters = append(c.queue.spoolWaiters, spoolWaiter{c.queue.spoolEnd, done})
		}
	}
}

// popLocked removes the oldest batch that is not resolved, which is resolved now. Before it are those alone that are resolved and
// still being written to the spool.
func (c *Client) popLocked(b *batch) {
	q := &c.queue
	if b.spilling {
		b.acked = true // It goes when it has been written.
		return
	}
	if i := q.spilling; i == 0 {
		q.sealed[0] = nil
		q.sealed = q.sealed[1:]
	} else {
		q.sealed = slices.Delete(q.sealed, i, i+1)
	}
	if q.next > q.spilling {
		q.next--
	}
	q.bytes -= len(b.buf)
	if b != c.flight.sending {
		q.release(b)
	}
}

func (b *batch) wakeWaiters() {
	for _, done := range b.waiters {
		close(done)
	}
	b.waiters = nil
}
