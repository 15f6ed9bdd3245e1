package query

import (
	"bytes"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// Match reports whether a record is wanted. It allocates nothing.
func (f *Filter) Match(v *logwire.View) bool {
	if v.Time < f.first || v.Time > f.last || f.levels&(1<<v.Level) == 0 {
		return false
	}
	for i := range f.services {
		if !f.services[i].match(v.Service) {
			return false
		}
	}
	for i := range f.hosts {
		if !f.hosts[i].match(v.Host) {
			return false
		}
	}
	for i := range f.messages {
		if bytes.Contains(v.Message, f.messages[i].text) == f.messages[i].negated {
			return false
		}
	}
	return f.matchFields(v) && f.matchPhrases(v)
}

// matchFields reports whether the record's fields are wanted.
func (f *Filter) matchFields(v *logwire.View) bool {
	if len(f.fields) == 0 {
		return true
	}
	// The sets have a bit for each test: those whose key occurs, and those whose value does.
	var present, hit uint64
	for field := range v.Fields() {
		for i := range f.fields {
			t := &f.fields[i]
			if string(field.Key) != t.key {
				continue
			}
			present |= 1 << i
			if t.match(field.Value) {
				hit |= 1 << i
			}
		}
	}
	for i := range f.fields {
		t := &f.fields[i]
		wanted := hit&(1<<i) != 0
		if t.kind == unequalTerm {
			wanted = !wanted && present&(1<<i) != 0
		}
		if wanted == t.negated {
			return false
		}
	}
	return true
}

// match reports whether a value is the one of the test; for unequalTerm that is the value that is not wanted.
func (t *fieldTest) match(value []byte) bool {
	switch t.kind {
	case containsTerm:
		return bytes.Contains(value, t.value)
	case compareTerm:
		n, ok := parseNumber(value)
		return ok && t.op.holds(n.compare(t.number))
	default:
		return bytes.Equal(value, t.value)
	}
}

// matchPhrases reports whether each phrase is in the message or in a field's value, or is not, as it is wanted.
func (f *Filter) matchPhrases(v *logwire.View) bool {
	for i := range f.phrases {
		p := &f.phrases[i]
		if (p.in(v.Message) || p.inFields(v)) == p.negated {
			return false
		}
	}
	return true
}

func (p *phrase) inFields(v *logwire.View) bool {
	for field := range v.Fields() {
		if p.in(field.Value) {
			return true
		}
	}
	return false
}
