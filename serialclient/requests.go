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

	streaming atomic.Bool           // the turn is a stream's
	writing   atomic.Int32          // writes that are going on, or may go on at any time
	failed    atomic.Pointer[fault] // why nothing more can be sent; nil: it can
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
	r.output.TimedFlush = r.timedFlush
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
	r.writtenAt(int64(time.Since(r.c.start)), offset, err)
}

// writtenAt is written at a time, in ns since Client.start.
func (r *requests) writtenAt(now int64, offset uint64, err error) {
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

// exchange writes a whole request that fits into the buffer, and waits for a moment for its response. It
// reports true, and has sent nothing, if the server has said something before.
func (r *requests) exchange(task serial.TaskCode, request []byte) (unasked bool) {
	r.open(task, len(request))
	r.blocks.Write(request)
	r.close()
	now := time.Now()
	begin := int64(now.Sub(r.c.start))
	r.c.responses.reading <- struct{}{}
	unasked = r.c.exchange.Do(now, exchangeTime(r.c.opts.timeout.Wait))
	<-r.c.responses.reading
	if unasked {
		r.writing.Add(-1)
		r.c.responses.window.lost()
		r.output.Reset()
		return true
	}
	if r.output.Buffered() > 0 { // more than the socket took at once
		r.c.stall.enter(r.c)
		defer r.c.stall.leave()
		r.output.Flush()
		begin = int64(time.Since(r.c.start))
	}
	r.writtenAt(begin, 0, r.output.Err())
	return false
}

// exchangeTime returns how long an exchange may wait: so much of Timeout.Wait, which begins anew after it,
// that this is late by less than a hundredth. 0 means that there is no timeout.
func exchangeTime(wait time.Duration) time.Duration {
	if wait <= 0 {
		return 0
	}
	return max(wait/128, 1)
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

// timedFlush flushes the output when it was lent for a while. Beside the write of a stream nobody reads
// but the stream.
func (r *requests) timedFlush() {
	if !r.streaming.Load() {
		r.flushLent()
		return
	}
	r.writing.Add(1)
	r.written(unwritten, r.output.FlushLent())
}

// failure returns why nothing more can be sent, nil if it can.
func (r *requests) failure() error {
	if f := r.failed.Load(); f != nil {
		return f.err
	}
	return nil
}
