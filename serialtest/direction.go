package serialtest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// direction carries bytes from one end's Writes to the other end's Reads.
//
// mu guards every field and is shared by both directions of a Pipe, so that a
// Close is one step for everyone. Nobody holds it while blocked: Reads and
// Writes wait on the two conditions, which testing/synctest sees as durably
// blocked.
type direction struct {
	mu       *sync.Mutex
	readable sync.Cond // bytes, an end, or a deadline came for a Read
	writable sync.Cond // the offer was taken, or the same for a Write

	queue   queue  // accepted from Writes, not yet read
	offer   []byte // what the Write in progress still holds; its caller's slice
	writing bool   // a Write is in progress; others wait, so none interleave

	readErr  error // why Reads fail, nil while they do not; EOF waits for queue
	writeErr error // why Writes fail, nil while they do not
	readBy   deadline
	writeBy  deadline
}

func newDirection(mu *sync.Mutex, size int) *direction {
	d := &direction{mu: mu, queue: queue{size: size}}
	d.readable.L, d.writable.L = mu, mu
	return d
}

// read is net.Conn.Read. As on a socket, an empty p asks for nothing and a
// passed deadline wins over waiting bytes.
func (d *direction) read(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		switch {
		case d.readErr == net.ErrClosed:
			return 0, d.readErr
		case len(p) == 0:
			return 0, nil
		case d.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		}
		if n := d.takeLocked(p); n > 0 {
			return n, nil
		}
		if d.readErr != nil {
			return 0, d.readErr
		}
		d.readable.Wait()
	}
}

// takeLocked moves waiting bytes into p: those in the queue, then those that a
// blocked Write still holds, which without a buffer is all of them.
func (d *direction) takeLocked(p []byte) int {
	n := d.queue.pop(p)
	if len(d.offer) > 0 && d.mayWriteLocked() == nil {
		m := copy(p[n:], d.offer)
		d.offer = d.offer[m:]
		n += m
		d.acceptLocked()
	}
	return n
}

// write is net.Conn.Write. It returns how many bytes were accepted, which is
// all of them when the error is nil.
func (d *direction) write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		if err := d.mayWriteLocked(); err != nil {
			return 0, err
		}
		if len(p) == 0 {
			return 0, nil
		}
		if !d.writing {
			break
		}
		d.writable.Wait()
	}
	d.writing, d.offer = true, p
	err := d.handOverLocked()
	n := len(p) - len(d.offer)
	d.writing, d.offer = false, nil
	d.writable.Broadcast()
	return n, err
}

// handOverLocked waits until the offer is accepted whole.
func (d *direction) handOverLocked() error {
	d.acceptLocked()
	for len(d.offer) > 0 {
		if err := d.mayWriteLocked(); err != nil {
			return err
		}
		d.writable.Wait()
	}
	return nil
}

// acceptLocked moves what fits of the offer into the queue and wakes whom that
// concerns.
func (d *direction) acceptLocked() {
	d.offer = d.offer[d.queue.push(d.offer):]
	d.readable.Broadcast()
	if len(d.offer) == 0 {
		d.writable.Broadcast()
	}
}

// mayWriteLocked tells why a Write must fail now, nil if it need not.
func (d *direction) mayWriteLocked() error {
	if d.writeBy.passed() { // never after Close, which stops the deadline
		return os.ErrDeadlineExceeded
	}
	return d.writeErr
}

// endWriteLocked ends the writing side: own Writes fail with own, and the
// peer's Reads end with peer: EOF after what waits, anything else at once.
func (d *direction) endWriteLocked(own, peer error) {
	d.writeErr = own
	if d.readErr != net.ErrClosed {
		d.readErr = peer
	}
	if peer != io.EOF {
		d.queue.drop()
	}
	d.wakeAllLocked()
}

// endReadLocked ends the reading side: own Reads find the connection closed,
// the peer's Writes a broken pipe.
func (d *direction) endReadLocked() {
	d.readErr = net.ErrClosed
	if d.writeErr != net.ErrClosed {
		d.writeErr = syscall.EPIPE
	}
	d.queue.drop()
	d.wakeAllLocked()
}

func (d *direction) wakeAllLocked() {
	d.readable.Broadcast()
	d.writable.Broadcast()
}

// setReadByLocked moves the deadline of Reads, those now blocked included.
func (d *direction) setReadByLocked(t time.Time) {
	d.readBy.set(t, func() { d.wake(&d.readable) })
	d.readable.Broadcast()
}

// setWriteByLocked moves the deadline of Writes, those now blocked included.
func (d *direction) setWriteByLocked(t time.Time) {
	d.writeBy.set(t, func() { d.wake(&d.writable) })
	d.writable.Broadcast()
}

// wake runs when a deadline passes. The lock makes sure that whoever saw the
// deadline still ahead is waiting by now.
func (d *direction) wake(cond *sync.Cond) {
	d.mu.Lock()
	defer d.mu.Unlock()
	cond.Broadcast()
}
