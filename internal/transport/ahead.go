package transport

import "time"

// ahead is a read that no owner waits for yet: while a handler works, it finds out whether the
// peer is still there. What it reads is the connection's next input and is not lost: whoever needs
// input next takes what there is, and takes the read over if there is nothing yet.
type ahead struct {
	buf  []byte
	done chan struct{} // closed when the read has ended and gone has returned

	// Input.mu guards what follows.
	gone  func(error)
	r, n  int   // buf[r:n] was read and not taken
	ended bool  // nothing more is read
	err   error // why it ended; nil: the buffer is full, or the owner wanted what there was
}

// failure returns why the connection cannot be read any further, nil if it can.
func (a *ahead) failure() error {
	if a.err == ErrInterrupted || a.err == ErrTimeout {
		return nil
	}
	return a.err
}

// ReadAhead begins to read ahead, unless the owner is itself reading. If that is going on already,
// it goes on, for the new gone. gone is called if the connection turns out to have failed or ended:
// by ReadAhead itself if that is known, otherwise by a goroutine, which Join waits for.
//
// At most BufferSize bytes are read ahead: behind more than that no end is seen.
func (in *Input) ReadAhead(gone func(error)) {
	if err := in.beginAhead(gone); err != nil {
		gone(err)
	}
}

// beginAhead is ReadAhead. It returns why the connection was found to have ended earlier.
func (in *Input) beginAhead(gone func(error)) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.blocked || in.closed {
		return nil
	}
	if in.ahead != nil {
		in.ahead.gone = gone
		return in.ahead.failure()
	}
	if in.conn.beginRead(time.Time{}) != nil {
		return nil
	}
	in.ahead = &ahead{buf: Scratch(), done: make(chan struct{}), gone: gone}
	go in.readAhead(in.ahead)
	return nil
}

// readAhead reads until the buffer is full, the connection has ended or the owner waits for what
// there is. It sets no deadline: the one that its taker sets must stay.
func (in *Input) readAhead(a *ahead) {
	defer close(a.done)
	for at, ended := 0, false; !ended; {
		n, err := in.conn.readAside(a.buf[at:])
		at += n
		var gone func(error)
		if ended, gone = in.readMore(a, n, err); gone != nil {
			gone(err)
		}
	}
}

// readAside is read where nobody else would notice a panic.
func (c *Conn) readAside(p []byte) (n int, err error) {
	defer c.recovered(&err)
	return c.read(p)
}

// readMore notes what was read. It returns whether that was all, and who is to be told of it.
func (in *Input) readMore(a *ahead, n int, err error) (ended bool, gone func(error)) {
	in.mu.Lock()
	defer in.mu.Unlock()
	a.n += n
	a.err = err
	a.ended = err != nil || a.n == len(a.buf) || in.blocked
	if a.failure() != nil && !in.blocked {
		gone = a.gone
	}
	return a.ended, gone
}

// takeOver waits for the read-ahead, whose deadline the caller has set, and takes what it read.
func (in *Input) takeOver(a *ahead) (int, error) {
	<-a.done
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.takeLocked(a)
}

// takeLocked moves what was read ahead into the buffer, which is empty. Only the owner calls it. An
// error that comes with bytes is kept for the next time: a socket tells of a reset only once.
func (in *Input) takeLocked(a *ahead) (int, error) {
	in.acquire()
	n := copy(in.buf, a.buf[a.r:a.n])
	a.r += n
	if !a.ended || n > 0 && a.failure() != nil {
		return n, nil
	}
	in.ahead = nil
	Release(a.buf)
	if n > 0 {
		return n, nil
	}
	return 0, a.err
}

// endAhead ends a read-ahead, and makes sure that none begins.
func (in *Input) endAhead() {
	in.mu.Lock()
	in.closed = true
	a := in.ahead
	in.mu.Unlock()
	if a == nil {
		return
	}
	if in.conn.in.interrupt() == nil {
		<-a.done
	}
	in.conn.ResumeRead()
}

// Join waits until no read-ahead is going on, and none begins after that. The connection must have
// been closed.
func (in *Input) Join() {
	in.mu.Lock()
	in.closed = true
	a := in.ahead
	in.mu.Unlock()
	if a != nil {
		<-a.done
	}
}
