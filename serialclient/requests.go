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

	writing atomic.Int32          // writes that are going on, or may go on at any time
	failed  atomic.Pointer[fault] // why nothing more can be sent; nil: it can
}

// sending is the sentAt of a call whose request is being written.
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
	r.writing.Add(1)
	r.c.responses.window.push(call{task: task, number: r.number, start: r.output.Queued(), size: size})
	r.output.WriteByte(byte(task))
	r.blocks.Reset(r.output)
}

// close ends a request.
func (r *requests) close() {
	w := &r.c.responses.window
	if r.blocks.Close() == nil && w.sealed(r.output.Queued()) {
		return
	}
	if w.isStopped() {
		r.c.breakDown(errUnfinished)
	}
}

// written ends a write: the requests that end behind the offset are sent, or are to be sent within
// a millisecond, or the output has failed with err.
func (r *requests) written(offset uint64, err error) {
	now := int64(time.Since(r.c.start))
	if err != nil && err != transport.ErrInterrupted {
		r.failed.CompareAndSwap(nil, &fault{err, now})
	}
	r.c.responses.window.written(offset, now)
	r.writing.Add(-1)
	r.c.responses.input.Recheck()
}

// send writes a whole request to the output. What becomes of it is for receive to say.
func (r *requests) send(task serial.TaskCode, request []byte, flush bool) {
	r.c.stall.enter(r.c)
	defer r.c.stall.leave()
	sent, start := r.output.Sent(), r.output.Queued()
	r.open(task, len(request))
	r.blocks.Write(request)
	r.close()
	if flush {
		r.output.Flush()
	}
	if r.output.Sent() == sent {
		sent = start // only this one
	}
	r.written(sent, r.output.Err())
}

// flush flushes the output, which the caller owns.
func (r *requests) flush() {
	r.c.stall.enter(r.c)
	defer r.c.stall.leave()
	r.writing.Add(1)
	sent := r.output.Sent()
	r.written(sent, r.output.Flush())
}

// flushLent flushes the output if it is lent.
func (r *requests) flushLent() {
	r.c.stall.enter(r.c)
	defer r.c.stall.leave()
	r.writing.Add(1)
	sent := r.output.Offered()
	err := r.output.FlushLent()
	if r.output.Offered() == sent {
		sent = unwritten // nothing was, or by somebody else
	}
	r.written(sent, err)
}

// failure returns why nothing more can be sent, nil if it can.
func (r *requests) failure() error {
	if f := r.failed.Load(); f != nil {
		return f.err
	}
	return nil
}
