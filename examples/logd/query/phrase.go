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
	// again[n] is how many of the last of the first n words are the first ones, fewer than n: so many of the phrase have been found where
	// the word behind n is another one. It is the table of Knuth, Morris and Pratt.
	again []int
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
	p.again = borders(p.words)
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

// borders returns phrase.again.
func borders(words [][]byte) []int {
	again := make([]int, len(words))
	same := 0
	for n := 1; n < len(words)-1; n++ {
		for same > 0 && !bytes.Equal(words[n], words[same]) {
			same = again[same]
		}
		if bytes.Equal(words[n], words[same]) {
			same++
		}
		again[n+1] = same
	}
	return again
}

// in reports whether text has the phrase. What it takes grows with the length of the text, and not with that times the number of words:
// whoever stores records may choose both the text and the query.
func (p *phrase) in(text []byte) bool {
	if len(text) < p.shortest {
		return false
	}
	c := candidates{small: -1, large: -1}
	for from := 0; ; {
		at := p.next(&c, text, from)
		if at >= len(text) {
			return false
		}
		end, found := p.run(text, at)
		if found {
			return true
		}
		if from = end + 1; p.wide {
			from = token.End(text, end)
		}
	}
}

// candidates are the next places of the two writings of the byte that is looked for; before the first look they are negative.
type candidates struct{ small, large int }

// next returns the first place from a position on at which the first word may begin, or len(text).
func (p *phrase) next(c *candidates, text []byte, from int) int {
	if p.wide {
		return token.Start(text, from)
	}
	if from += p.offset; c.small < from {
		c.small = indexFrom(text, p.small, from)
	}
	if c.large < from {
		c.large = len(text)
		if p.large != p.small {
			c.large = indexFrom(text, p.large, from)
		}
	}
	if at := min(c.small, c.large); at < len(text) {
		return at - p.offset
	}
	return len(text)
}

// run compares words from a place on for as long as the phrase may have begun, there or behind it, and reports whether it
// was found. Otherwise it has begun at no place up to end.
func (p *phrase) run(text []byte, at int) (end int, found bool) {
	if !token.IsStart(text, at) {
		return at, false
	}
	for n := 0; ; {
		switch {
		case token.HasWord(text, at, p.words[n]):
			at += len(p.words[n])
			if n++; n == len(p.words) {
				return at, true
			}
			at = token.Start(text, at)
		case n == 0:
			return at, false
		default:
			n = p.again[n]
		}
	}
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
