package e2e_test

import (
	"errors"
	"io"
	"os"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// expectation is what a session must lead to.
type expectation struct {
	messages []string
	ran      []int
	kind     string // what ends it
	racy     bool   // a straggler decides how much is left unread: only the beginning is certain
	served   func(error) bool
}

func (e *expectation) message(m serialtest.Message) {
	e.messages = append(e.messages, m.String())
}

func (e *expectation) ok(b []byte) {
	h := serialtest.Hex(b)
	e.message(serialtest.Message{OK: &h})
}

func (e *expectation) cut(b []byte) {
	h := serialtest.Hex(b)
	e.message(serialtest.Message{Cut: &h})
}

func (e *expectation) error(code serial.ErrorCode) {
	e.message(serialtest.Message{Error: &code})
}

func (e *expectation) end(kind string, served func(error) bool) *expectation {
	e.kind, e.served = kind, served
	return e
}

// expect says what the session must lead to, from docs/protocol.md alone.
func (s session) expect() *expectation {
	e := new(expectation)
	for i, st := range s.steps {
		arrived, whole := st.message, true
		if i == len(s.steps)-1 && s.lost > 0 {
			r := st.request(i)
			arrived, whole = payload(r[1:len(r)-s.lost]), false
		}
		if st.does != unknownTask && st.does != keepAlive {
			e.ran = append(e.ran, i)
		}
		read, answered := st.expect(e, arrived, whole)
		left := len(arrived) - read
		switch {
		case !answered && read < 0:
			return s.incomplete(e)
		case !answered:
			return e.end("drop", func(err error) bool { return err != nil })
		case st.does == keepsOn && left > s.unread:
			e.racy = true
			return e.end("straggler", func(error) bool { return true })
		case left > s.unread:
			e.message(serialtest.Message{Goodbye: true})
			return e.end("unread", is(serialserver.ErrUnreadInput))
		case !whole:
			e.message(serialtest.Message{Goodbye: true})
			return s.incomplete(e)
		}
	}
	return e.end("end", func(err error) bool { return err == nil })
}

// expect adds what the step answers when so much of its message arrives. It returns how much the
// task reads, -1 if it fails in that, and whether it is answered.
func (st step) expect(e *expectation, arrived []byte, whole bool) (read int, answered bool) {
	switch st.does {
	case unknownTask:
		e.error(serial.ErrorUnknownTask)
		return 0, true
	case keepAlive:
		e.ok(nil)
		return 0, true
	case echoes:
		if !whole {
			e.cut(arrived)
			return -1, false
		}
		e.ok(arrived)
		return len(arrived), true
	case readsAll:
		st.reads = len(st.message)
	}
	if st.reads > len(arrived) {
		return -1, false
	}
	switch st.does {
	case failsCoded:
		e.error(7)
	case failsPlain, panics:
		return st.reads, false
	case breaksOff:
		e.cut(st.message[:st.reads])
		return st.reads, false
	default:
		e.ok([]byte("ok"))
	}
	return st.reads, true
}

// incomplete ends a session whose last request does not arrive whole.
func (s session) incomplete(e *expectation) *expectation {
	if s.stalls {
		return e.end("stall", is(os.ErrDeadlineExceeded))
	}
	return e.end("cut", is(io.ErrUnexpectedEOF))
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// payload decodes the beginning of a block stream, naively.
func payload(b []byte) (p []byte) {
	for len(b) > 0 {
		n := min(int(b[0]), len(b)-1)
		p = append(p, b[1:1+n]...)
		b = b[1+n:]
	}
	return p
}
