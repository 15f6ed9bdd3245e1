package logclient

import (
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/logclient/spool"
)

// batch is a batch of records, from their first until they are resolved. Client.mu guards it, but for the bytes of
// buf: the first BatchHeadSize belong to the sender, and the others do not change once it is sealed.
type batch struct {
	buf   []byte // room for a head, and the records with their lengths
	count int
	key   spool.Key // zero until it is sent or spooled for the first time

	tried    bool // it was sent, perhaps more than once
	fresh    bool // it was sent once, and nobody else may have sent it before
	spilling bool // it is being written to the spool
	acked    bool // meanwhile it was acknowledged
	spooled  bool // it is in the spool
	end      uint64
	rejected int // of its records in the spool, how many were dropped

	waiters []chan struct{} // closed when it and all before are resolved
}

// reset makes it an empty batch with an empty buffer.
func (b *batch) reset(buf []byte) {
	*b = batch{buf: append(buf[:0], make([]byte, logwire.BatchHeadSize)...)}
}

func (b *batch) records() []byte { return b.buf[logwire.BatchHeadSize:] }

func (b *batch) add(r *logwire.Record) {
	b.buf = logwire.AppendBatchRecord(b.buf, r)
	b.count++
}

// without replaces the buffer by one without record i. It reports false if there is none.
func (b *batch) without(i int) bool {
	if i < 0 || i >= b.count {
		return false
	}
	rest := b.records()
	for range i {
		_, after, ok := logwire.NextRecord(rest)
		if !ok {
			return false
		}
		rest = after
	}
	_, after, ok := logwire.NextRecord(rest)
	if !ok {
		return false
	}
	kept := append(make([]byte, 0, len(b.buf)), b.buf[:len(b.buf)-len(rest)]...)
	b.buf = append(kept, after...)
	b.count--
	return true
}

// message returns the batch with its head, valid until the head is written again.
func (b *batch) message(h logwire.BatchHead) []byte {
	h.Count = b.count
	logwire.AppendBatchHead(b.buf[:0], h)
	return b.buf
}
