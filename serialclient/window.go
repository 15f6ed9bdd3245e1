package serialclient

import "sync"

// pipelineRoom is how many bytes of responses are kept for a pipeline that sends without
// receiving: 16 MiB. Each response, and each call that has none yet, counts responseCost as well.
const pipelineRoom = 16 << 20

// earlyLimit is the size of a request up to which it is sent to its end even when its response is
// complete already, so that the connection can be used further: 256 KiB. It is what a server is
// bound to discard (docs/protocol.md, "Unread input").
const earlyLimit = 256 << 10

// window holds the calls that were sent and not received: those whose responses are still to be
// read, and the responses that were read before they were asked for.
type window struct {
	mu      sync.Mutex // guards what follows
	queue   fifo[call]
	early   fifo[response] // of the calls before the queue's
	size    int            // what early counts
	givenUp int            // calls of the queue whose receivers were interrupted

	forgotten uint64 // nobody asks for the responses of calls up to this number
	writing   uint64 // the call whose request is not yet in the output; 0: none
	end       uint64 // where in the output the latest request ends; unwritten: it is being written
	stopped   bool   // its writing was stopped, because its response is complete
}

// push queues a call whose request begins to be written.
func (w *window) push(cl call) {
	cl.end, cl.sentAt = unwritten, sending
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue.push(cl)
	w.writing, w.end, w.stopped = cl.number, unwritten, false
}

// sealed notes where the request that was being written ends. It reports false if its writing was
// stopped.
func (w *window) sealed(end uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return false
	}
	if n := w.queue.len(); n > 0 && w.queue.last().number == w.writing {
		w.queue.last().end = end
	}
	w.writing, w.end = 0, end
	return true
}

// isStopped reports whether the writing of the latest request was stopped.
func (w *window) isStopped() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stopped
}

// written notes when the latest request was written, as were those that end behind the offset.
func (w *window) written(offset uint64, now int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := w.queue.len() - 1; i >= 0; i-- {
		cl := w.queue.at(i)
		if cl.end <= offset {
			return
		}
		cl.sentAt = now
	}
}

// head returns the call whose response comes next.
func (w *window) head() (call, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queue.len() == 0 {
		return call{}, false
	}
	return *w.queue.at(0), true
}

// asked returns the call whose response is asked for next. It is not the head of the queue when
// receivers have been interrupted: no response is read any more then.
func (w *window) asked() (cl call, isHead, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.givenUp >= w.queue.len() {
		return call{}, false, false
	}
	return *w.queue.at(w.givenUp), w.givenUp == 0, true
}

// giveUp notes that a receiver was interrupted. The response is still to come.
func (w *window) giveUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.givenUp++
}

// answered removes the head of the queue, whose response has been read whole. It reports whether its
// request is large and still being written: that is to be stopped, since nobody wants the rest.
func (w *window) answered(cl call) (stop bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue.pop()
	w.stopped = w.stopped || cl.size > earlyLimit && w.writing == cl.number
	return w.stopped
}

// lost removes the head of the queue, if there is one: no response to it will come.
func (w *window) lost() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queue.len() > 0 {
		w.queue.pop()
	}
}

// outstanding reports whether there are calls whose responses have not been read.
func (w *window) outstanding() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queue.len() > 0
}

// sentUpTo drops the calls that begin at or after offset sent of the output, because no byte of
// them was sent. It reports false if one was sent in part.
func (w *window) sentUpTo(sent uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.queue.len()
	for n > 0 && w.queue.at(n-1).start >= sent {
		n--
		w.end = w.queue.at(n).start // where the one before it ends
		w.writing = 0
	}
	w.queue.truncate(n)
	return w.end <= sent
}

// full reports whether a pipeline that does not receive has no room for another call.
func (w *window) full() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.size+w.queue.len()*responseCost >= pipelineRoom
}

// hasEarly reports whether a response was read early.
func (w *window) hasEarly() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.early.len() > 0
}

// takeEarly returns the oldest response that was read early.
func (w *window) takeEarly() (response, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.early.len() == 0 {
		return response{}, false
	}
	first := w.early.pop()
	w.size -= len(first.body) + responseCost
	return first, true
}

// putEarly keeps the response of a call. It reports false when there was no room for it; a single
// one always has, within WithMaxResponse.
func (w *window) putEarly(cl call, resp response) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if cl.number <= w.forgotten {
		return true
	}
	resp.body = kept(resp.body)
	fits := w.early.len() == 0 || w.size+len(resp.body)+responseCost <= pipelineRoom
	if !fits && resp.err == nil {
		resp = response{err: &Error{Task: cl.task, Outcome: Unknown, Err: ErrPipelineFull}}
	}
	w.early.push(resp)
	w.size += len(resp.body) + responseCost
	return fits
}

// isForgotten reports whether nobody asks for the response of a call.
func (w *window) isForgotten(cl call) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return cl.number <= w.forgotten
}

// forget drops the responses that nobody has asked for, and those still to come, of the calls up
// to a number.
func (w *window) forget(number uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.early, w.size, w.givenUp, w.forgotten = fifo[response]{}, 0, 0, number
}
