package transport

import "time"

// ahead is a read that no owner waits for yet: while a handler works, it finds out whether the
// peer is still there. What it reads is the connection's next input and is not lost: whoever needs
// input next takes the read over, finished or not.
type ahead struct {
	buf  *[BufferSize]byte
	done chan struct{} // closed when the read has ended
	n    int           // valid once done is closed, as is err
	err  error
}

// ReadAhead begins to read ahead, unless that is going on already, there is something unread from
// it, or the owner is itself reading. gone is called, in a goroutine of its own, if the connection
// turns out to have failed or ended. Wait for that goroutine with Join after closing the
// connection.
//
// At most BufferSize bytes are read ahead: behind more than that no end is seen.
func (in *Input) ReadAhead(gone func(error)) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.blocked || in.ahead != nil || in.conn.in.begin(time.Time{}) != nil {
		return
	}
	a := &ahead{buf: Scratch(), done: make(chan struct{})}
	in.ahead = a
	go in.readAhead(a, gone)
}

// readAhead reads until the buffer is full, the connection has ended or the owner wants what there
// is. It sets no deadline: the one that its taker sets must stay.
func (in *Input) readAhead(a *ahead, gone func(error)) {
	defer close(a.done)
	for a.n < len(a.buf) && (a.n == 0 || !in.taken()) {
		n, err := in.conn.read(a.buf[a.n:])
		a.n += n
		if err != nil {
			a.err = err
			if !in.taken() {
				gone(err)
			}
			return
		}
	}
}

// taken reports whether the owner waits for what is read ahead.
func (in *Input) taken() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.blocked
}

// take waits for the read-ahead, whose deadline the caller has set, and moves what it read into
// in's buffer, which is empty. An error that came with bytes comes again.
func (a *ahead) take(in *Input) (int, error) {
	<-a.done
	n, err := copy(in.buf[:], a.buf[:a.n]), a.err
	Release(a.buf)
	if n > 0 {
		err = nil
	}
	return n, err
}

// Join waits until no read-ahead is going on. The connection must have been closed.
func (in *Input) Join() {
	in.mu.Lock()
	a := in.ahead
	in.mu.Unlock()
	if a != nil {
		<-a.done
	}
}
