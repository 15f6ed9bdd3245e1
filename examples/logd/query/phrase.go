package query

import (
	"bytes"
	"strings"

	"github.com/serialkit/serialkit/examples/logd/token"
)

// phrase looks for words that follow each other, with anything but words between them.
type phrase struct {
	negated bool
	words   [][]byte
	// shortest is the length of the shortest text that has them.
	shortest int

	// small and large are a byte of the first word in both cases, and offset is its place: one that is rare in
	// texts, or the first one if the word has none in ASCII. wide is set if there are more than two cases.
	small, large byte
	offset       int
	wide         bool
}

// commonness has the bytes of words from rare to common.
const commonness = "qzjxkvwybgpfmhudclsnriaoet_9786543210"

func newPhrase(t term) phrase {
	p := phrase{negated: t.negated, shortest: len(t.value)}
	for _, word := range t.words() {
		p.words = append(p.words, []byte(word))
	}
	rarest := len(commonness)
	for i, c := range p.words[0] {
		if rank := strings.IndexByte(commonness, c); rank >= 0 && rank < rarest {
			rarest, p.offset = rank, i
		}
	}
	small, large, ok := token.Leads(p.words[0][p.offset:])
	p.small, p.large, p.wide = small, large, !ok
	return p
}

// in reports whether text has the phrase.
func (p *phrase) in(text []byte) bool {
	if len(text) < p.shortest {
		return false
	}
	if p.wide {
		return p.inWords(text)
	}
	small, large := indexFrom(text, p.small, p.offset), len(text)
	if p.large != p.small {
		large = indexFrom(text, p.large, p.offset)
	}
	for {
		at := min(small, large)
		if at == len(text) {
			return false
		}
		if p.at(text, at-p.offset) {
			return true
		}
		if at == small {
			small = indexFrom(text, p.small, at+1)
		} else {
			large = indexFrom(text, p.large, at+1)
		}
	}
}

// inWords is in, word by word.
func (p *phrase) inWords(text []byte) bool {
	for at := token.Start(text, 0); at < len(text); at = token.Start(text, token.End(text, at)) {
		if p.at(text, at) {
			return true
		}
	}
	return false
}

// at reports whether the phrase begins at a position.
func (p *phrase) at(text []byte, at int) bool {
	if at < 0 || !token.IsStart(text, at) || !token.HasWord(text, at, p.words[0]) {
		return false
	}
	at += len(p.words[0])
	for _, word := range p.words[1:] {
		at = token.Start(text, at)
		if !token.HasWord(text, at, word) {
			return false
		}
		at += len(word)
	}
	return true
}

// indexFrom returns the index of c in text from a position on, or len(text).
func indexFrom(text []byte, c byte, from int) int {
	if from < len(text) {
		if i := bytes.IndexByte(text[from:], c); i >= 0 {
			return from + i
		}
	}
	return len(text)
}
