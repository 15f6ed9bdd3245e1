package serialserver

import (
	"io"
	"sync/atomic"

	"github.com/serialkit/serialkit/internal/transport"
	"github.com/serialkit/serialkit/serial"
)

// The states of a message: who may read it.
const (
	messageFree    = iota // nobody does
	messageRead           // a goroutine of the task's does
	messageWanted         // it does, and the connection's goroutine waits for it to stop
	messageRevoked        // the task has ended: the connection's goroutine alone may
)

// message is what a task reads. The task may read it from any goroutine, and may even forget to
// stop: once it has ended its message is revoked, because the next bytes are another task's.
type message struct {
	blocks serial.Reader
	task   *task         // is told at once when reading fails; set before it begins
	read   atomic.Uint64 // bytes that the task has read
	failed atomic.Value  // of failure: why reading failed

	state atomic.Int32
	back  chan struct{} // made by revoke, before messageWanted
}

// Read reads the message for the task.
func (m *message) Read(p []byte) (int, error) {
	if !m.state.CompareAndSwap(messageFree, messageRead) {
		if m.state.Load() == messageRevoked {
			return 0, ErrTaskEnded
		}
		return 0, ErrConcurrentRead
	}
	defer m.free() // also where the connection panics
	n, err := m.blocks.Read(p)
	m.read.Add(uint64(n))
	if err != nil && err != io.EOF {
		m.fail(err)
	}
	return n, err
}

// free ends a read.
func (m *message) free() {
	if !m.state.CompareAndSwap(messageRead, messageFree) {
		m.state.Store(messageRevoked)
		m.back <- struct{}{}
	}
}

func (m *message) fail(err error) {
	if m.failed.CompareAndSwap(nil, failure{err}) {
		m.task.inputFailed(err)
	}
}

// failure makes errors of any type one type, as atomic.Value wants.
type failure struct{ err error }

// failure returns why reading failed, nil if it did not.
func (m *message) failure() error {
	f, _ := m.failed.Load().(failure)
	return f.err
}

// revoke ends the task's reading. It waits for a read that is going on, with the output lent, for
// the client may be waiting for what is in it.
func (m *message) revoke(out *transport.Output) {
	for !m.state.CompareAndSwap(messageFree, messageRevoked) {
		if m.back == nil {
			m.back = make(chan struct{}, 1)
		}
		if m.state.CompareAndSwap(messageRead, messageWanted) {
			out.Lend()
			<-m.back
			out.Reclaim()
			return
		}
	}
}

// arrived reports whether the message is buffered as a whole, and the task has read none of it.
func (m *message) arrived(in *transport.Input) bool {
	if !m.state.CompareAndSwap(messageFree, messageRead) {
		return false
	}
	defer m.free()
	if m.read.Load() > 0 || in.Buffered() == 0 {
		return false
	}
	buffered, err := in.Peek(in.Buffered())
	for err == nil && len(buffered) > 0 {
		block := int(buffered[0])
		if block == 0 {
			return true
		}
		buffered = buffered[min(1+block, len(buffered)):]
	}
	return false
}

// drain discards what the task left unread, at most limit bytes. It returns io.EOF when the
// message has ended, nil when there is more of it than that, and otherwise why reading failed, be it
// now or when the task read.
func (m *message) drain(limit int64) error {
	_, err := m.blocks.Discard(limit + 1)
	return err
}
