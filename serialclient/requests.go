package serialclient

import (
	"sync/atomic"
	"time"

	"github.com/serialkit/serialkit/internal/transport"
	"github.com/serialkit/serialkit/serial"
)

// requests is the sending half of a connection. One goroutine at a time owns it.
type requests struct {
	c      *Client
	output *transport.Output
	blocks serial.Writer
	number uint64 // of the latest call

	sentAt atomic.Int64          // when the latest request was written, in ns since c.start; sending: not yet
	failed atomic.Pointer[fault] // why nothing more can be sent; nil: it can
}

// sending is the sentAt of a request that is being written.
const sending = -1

// fault is a failure and its time, in ns since Client.start.
type fault struct {
	err error
	at  int64
}

func (r *requests) init(c *Client) {
	r.c = c
	r.output = transport.NewOutput(c.conn)
	r.output.Timeout = c.opts.timeout.Write
}

// open begins a request: it queues the call and writes the task code. Size is how many bytes it
// has, 0 if that is not known.
func (r *requests) open(task serial.TaskCode, size int) {
	r.number++
	r.sentAt.Store(sending)
	r.c.responses.push(call{task: task, number: r.number, start: r.output.Queued(), size: size})
	r.output.WriteByte(byte(task))
	r.blocks.Reset(r.output)
}

// close ends a request.
func (r *requests) close() {
	switch r.blocks.Close() {
	case nil:
		r.c.responses.sealed(r.output.Queued())
	case transport.ErrInterrupted:
		if r.c.responses.isStopped() {
			r.c.breakDown(errUnfinished)
		}
	}
}

// sent notes that all is written, or that it could not be.
func (r *requests) sent(err error) {
	now := int64(time.Since(r.c.start))
	if err != nil && err != transport.ErrInterrupted {
		r.failed.CompareAndSwap(nil, &fault{err, now})
	}
	r.sentAt.Store(now)
	r.c.responses.input.Recheck()
}

// send writes a whole request to the output. What becomes of it is for receive to say.
func (r *requests) send(task serial.TaskCode, request []byte, flush bool) {
	r.c.stall.enter(r.c)
	defer r.c.stall.leave()
	r.open(task, len(request))
	r.blocks.Write(request)
	r.close()
	if flush {
		r.output.Flush()
	}
	r.sent(r.output.Err())
}

// flush flushes the output, which the caller owns.
func (r *requests) flush() {
	r.c.stall.enter(r.c)
	defer r.c.stall.leave()
	r.sent(r.output.Flush())
}

// flushLent flushes the output if it is lent.
func (r *requests) flushLent() {
	r.c.stall.enter(r.c)
	defer r.c.stall.leave()
	if err := r.output.FlushLent(); err != nil {
		r.sent(err)
	}
}

// failure returns why nothing more can be sent, nil if it can.
func (r *requests) failure() error {
	if f := r.failed.Load(); f != nil {
		return f.err
	}
	return nil
}
