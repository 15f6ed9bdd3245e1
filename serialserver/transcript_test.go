package serialserver_test

import (
	"bytes"
	"fmt"
)

// answerKind is what a client makes of one response.
type answerKind byte

const (
	okAnswer answerKind = iota
	errorAnswer
	goodbyeAnswer
	cutAnswer   // an OK whose message broke off
	wrongAnswer // not a response at all
)

// naiveAnswer is one response.
type naiveAnswer struct {
	kind answerKind
	body []byte // the message, or the error code
}

func (a naiveAnswer) String() string {
	return fmt.Sprintf("%s %x", [...]string{"ok", "error", "goodbye", "cut", "wrong"}[a.kind], a.body)
}

func same(a, b []naiveAnswer) bool {
	for i := range min(len(a), len(b)) {
		if a[i].kind != b[i].kind || !bytes.Equal(a[i].body, b[i].body) {
			return false
		}
	}
	return len(a) == len(b)
}

// transcript is the answers of one connection, and memory for the next one's.
type transcript struct {
	answers []naiveAnswer
	ran     []byte // the tasks
	memory  []byte // of the messages
}

func (tr *transcript) reset() {
	tr.answers, tr.ran, tr.memory = tr.answers[:0], tr.ran[:0], tr.memory[:0]
}

func (tr *transcript) add(kind answerKind, body []byte) {
	tr.answers = append(tr.answers, naiveAnswer{kind, body})
}

// parse is the naive reader of what a server has written.
func (tr *transcript) parse(wire []byte) {
	for tr.reset(); len(wire) > 0; {
		switch kind, rest := answerKind(wire[0]), wire[1:]; {
		case kind == okAnswer:
			message, after, whole := tr.stream(rest)
			if !whole {
				kind = cutAnswer
			}
			tr.add(kind, message)
			wire = after
		case kind == errorAnswer && len(rest) > 0:
			tr.add(kind, rest[:1])
			wire = rest[1:]
		case kind == goodbyeAnswer:
			tr.add(kind, nil)
			wire = rest
		default:
			tr.add(wrongAnswer, wire)
			return
		}
	}
}

// stream is the naive decoder of a block stream. The message is valid until reset.
func (tr *transcript) stream(b []byte) (message, rest []byte, whole bool) {
	from := len(tr.memory)
	for len(b) > 0 && b[0] != 0 {
		n := min(int(b[0]), len(b)-1)
		tr.memory = append(tr.memory, b[1:1+n]...)
		b = b[1+n:]
	}
	message = tr.memory[from:]
	if len(b) == 0 {
		return message, nil, false
	}
	return message, b[1:], true
}
