package transport

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// The errors of a Conn, beside those of the connection below. They reach users within errors that begin
// with the name of a public package, as those of package net do.
var (
	// ErrTimeout is returned when the deadline of a read or a write has passed.
	ErrTimeout error = timeoutError("i/o timeout")
	// ErrTooSlow is returned when the peer stayed below the minimum rate.
	ErrTooSlow error = timeoutError("peer below the minimum rate")
	// ErrTooLong is returned when this side was blocked on the peer for longer than a message may take.
	ErrTooLong error = timeoutError("message longer under way than its limit")
	// ErrInterrupted is returned by a read or a write that was interrupted.
	ErrInterrupted = errors.New("interrupted")

	// errPanicked is how an Input and an Output fail in which the connection below has panicked.
	errPanicked = errors.New("the connection has panicked")
)

// timeoutError is a net.Error, and os.ErrDeadlineExceeded to errors.Is, as in package net.
type timeoutError string

func (e timeoutError) Error() string        { return string(e) }
func (e timeoutError) Timeout() bool        { return true }
func (e timeoutError) Temporary() bool      { return true }
func (e timeoutError) Is(target error) bool { return target == os.ErrDeadlineExceeded }

// longAgo, as a deadline, ends what is blocked now and all that follows.
var longAgo = time.Unix(1, 0)

// deadline is one direction's deadline: when its operation is to time out, and what the connection
// was told. Moving a connection's deadline costs more than a small task, so one that is armed
// already and fires before the wanted one stays, and is armed again when it has fired.
type deadline struct {
	set  func(time.Time) error // the connection's; never changes
	lazy bool                  // firing early does no harm; never changes

	mu          sync.Mutex // guards what follows; held while set is called, and across nothing else
	until       time.Time  // when the operation times out; zero: never
	armed       time.Time  // what the connection was told; zero: nothing
	fired       bool       // armed has fired or could not be set, and must be set anew
	interrupted bool       // operations fail until resume

	busy    bool      // an operation is going on; for rest
	resting time.Time // the deadline while none is; zero: none
}

// rest sets the deadline for while no operation is going on. It is for connections that write by
// themselves.
func (d *deadline) rest(until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.resting = until
	d.restLocked()
}

// end follows an operation of a connection that rests.
func (d *deadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy = false
	d.restLocked()
}

func (d *deadline) restLocked() {
	if !d.busy && !d.interrupted {
		d.until = d.resting
		d.armLocked()
	}
}

// begin arms the deadline for an operation that begins now.
func (d *deadline) begin(until time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.until, d.busy = until, true
	return d.armLocked()
}

// again follows an operation that failed with err. It returns nil if a deadline fired earlier than
// the wanted one, so that the operation is to be tried again, and otherwise what to return.
func (d *deadline) again(err error) error {
	if !isTimeout(err) {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.interrupted {
		return ErrInterrupted
	}
	if !d.until.IsZero() && !time.Now().Before(d.until) {
		return ErrTimeout
	}
	d.fired = true
	return d.armLocked()
}

// move changes the deadline of an operation that another goroutine is blocked in.
func (d *deadline) move(until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.until = until
	d.fired = true
	d.armLocked()
}

func (d *deadline) armLocked() error {
	switch {
	case d.interrupted:
		return ErrInterrupted
	case d.fired: // whatever was armed is void
	case d.armed.Equal(d.until):
		return nil
	case d.lazy && !d.armed.IsZero() && (d.until.IsZero() || d.armed.Before(d.until)):
		return nil
	}
	err := d.set(d.until)
	d.armed, d.fired = d.until, err != nil
	return err
}

// interrupt ends what is blocked. Its error says that the connection has no deadlines, or is closed.
func (d *deadline) interrupt() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.interrupted, d.fired = true, true
	return d.set(longAgo)
}

func (d *deadline) resume() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.interrupted = false
}

// isTimeout reports whether err is what a connection returns after its deadline. Those that are
// older than os.ErrDeadlineExceeded say Timeout alone, as does an errno that is no deadline's.
func isTimeout(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	var timeout net.Error
	var errno syscall.Errno
	return errors.As(err, &timeout) && timeout.Timeout() && !errors.As(err, &errno)
}

// after returns when d after t is, and the zero time, which is no deadline, for d <= 0.
func after(t time.Time, d time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return t.Add(d)
}

// earlier returns the earlier of two deadlines, of which the zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
