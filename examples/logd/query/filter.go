package query

import (
	"math"
	"strings"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/token"
)

// Filter is a parsed query. It does not change, and is safe for concurrent use.
type Filter struct {
	// terms are as they were written, in their canonical form.
	terms []term

	// first and last are the times of the records that pass; levels has the bit 1<<level of those that do.
	first, last int64
	levels      uint8
	services    []nameTest
	hosts       []nameTest
	messages    []bytesTest
	phrases     []phrase
	fields      []fieldTest

	// hashes are in every record that passes, and serviceHashes, too, which is of use only where the services of a
	// block are not known.
	hashes        []uint64
	serviceHashes []uint64
}

// nameTest is a condition on a service or a host.
type nameTest struct {
	text            string
	prefix, negated bool
}

func (t *nameTest) match(name []byte) bool {
	if t.prefix {
		return (len(name) >= len(t.text) && string(name[:len(t.text)]) == t.text) != t.negated
	}
	return (string(name) == t.text) != t.negated
}

// bytesTest is a condition on the bytes of the message.
type bytesTest struct {
	text    []byte
	negated bool
}

// fieldTest is a condition on the fields of one key.
type fieldTest struct {
	kind    kind
	negated bool
	key     string
	value   []byte
	op      operator
	number  number
}

const allLevels = 1<<(logwire.Fatal+1) - 1<<logwire.Trace

func newFilter() *Filter {
	return &Filter{first: math.MinInt64, last: math.MaxInt64, levels: allLevels}
}

// add adds a term, or returns why no record would pass any more.
func (f *Filter) add(t term) (problem string) {
	f.terms = append(f.terms, t)
	switch t.kind {
	case phraseTerm:
		f.addPhrase(t)
	case serviceTerm:
		f.services = append(f.services, nameTest{t.value, t.prefix, t.negated})
		if !t.prefix && !t.negated {
			f.serviceHashes = append(f.serviceHashes, token.Service([]byte(t.value)))
		}
	case hostTerm:
		f.hosts = append(f.hosts, nameTest{t.value, t.prefix, t.negated})
		if !t.prefix && !t.negated {
			f.hashes = append(f.hashes, token.Host([]byte(t.value)))
		}
	case levelTerm:
		if f.levels &= levelMask(t); f.levels == 0 {
			return "no level is left"
		}
	case sinceTerm, untilTerm:
		if f.addTime(t); f.first > f.last {
			return "no time is left: until is not after since"
		}
	case messageTerm:
		f.messages = append(f.messages, bytesTest{[]byte(t.value), t.negated})
		f.addInnerWords(t)
	default:
		f.addField(t)
	}
	return ""
}

func (f *Filter) addPhrase(t term) {
	f.phrases = append(f.phrases, newPhrase(t))
	if !t.negated {
		f.hashes = token.Append(f.hashes, []byte(t.value))
	}
}

func (f *Filter) addField(t term) {
	test := fieldTest{kind: t.kind, negated: t.negated, key: t.key, value: []byte(t.value), op: t.op}
	if t.kind == compareTerm {
		test.number, _ = parseNumber(test.value)
	}
	f.fields = append(f.fields, test)
	switch {
	case t.negated:
	case t.kind == equalTerm:
		f.hashes = append(f.hashes, token.Field([]byte(t.key), test.value))
	default:
		f.hashes = append(f.hashes, token.Key([]byte(t.key)))
		if t.kind == containsTerm {
			f.addInnerWords(t)
		}
	}
}

// addInnerWords adds the words of a text that is a part of another one: the words at its ends may be parts of longer ones.
func (f *Filter) addInnerWords(t term) {
	if t.negated {
		return
	}
	text := []byte(t.value)
	for at := 0; ; {
		hash, start, end, ok := token.Next(text, at)
		if !ok {
			return
		}
		if start > 0 && end < len(text) {
			f.hashes = append(f.hashes, hash)
		}
		at = end
	}
}

// addTime bounds the times: since is inclusive and until is not.
func (f *Filter) addTime(t term) {
	if (t.kind == sinceTerm) != t.negated {
		f.first = max(f.first, t.time)
	} else {
		f.last = min(f.last, t.time-1)
	}
}

// levelMask returns the levels that a term lets pass.
func levelMask(t term) (mask uint8) {
	for level := logwire.Trace; level <= logwire.Fatal; level++ {
		if t.op.holds(int(level)-int(t.level)) != t.negated {
			mask |= 1 << level
		}
	}
	return mask
}

// holds reports whether an operator is true of two values of which order is the first's to the second: negative,
// 0 or positive.
func (op operator) holds(order int) bool {
	switch op {
	case isOp, eqOp:
		return order == 0
	case neOp:
		return order != 0
	case geOp:
		return order >= 0
	case leOp:
		return order <= 0
	case gtOp:
		return order > 0
	default:
		return order < 0
	}
}

// words splits the value of a phrase.
func (t *term) words() []string { return strings.Split(t.value, " ") }
