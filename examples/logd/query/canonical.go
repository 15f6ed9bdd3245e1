package query

import (
	"strings"
	"time"
)

// String returns the query in its canonical form: the terms in the order in which they were written, times as RFC 3339 in
// UTC, quotes only where they are needed. Parsed at any time it is the same filter, unless times and quotes have made it
// longer than logwire.MaxQuery.
func (f *Filter) String() string {
	var b strings.Builder
	for i := range f.terms {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(f.terms[i].String())
	}
	return b.String()
}

// String returns the term in its canonical form.
func (t *term) String() string {
	sign := ""
	if t.negated {
		sign = "-"
	}
	switch t.kind {
	case phraseTerm:
		return sign + canonicalPhrase(t.value)
	case serviceTerm:
		return sign + "service:" + t.canonicalName()
	case hostTerm:
		return sign + "host:" + t.canonicalName()
	case levelTerm:
		return sign + "level" + string(t.op) + t.level.String()
	case sinceTerm:
		return sign + "since:" + canonicalTime(t.time)
	case untilTerm:
		return sign + "until:" + canonicalTime(t.time)
	case messageTerm:
		return sign + "message~" + canonicalValue(t.value)
	case equalTerm:
		return sign + canonicalKey(t.key) + "=" + canonicalValue(t.value)
	case unequalTerm:
		return sign + canonicalKey(t.key) + "!=" + canonicalValue(t.value)
	case containsTerm:
		return sign + canonicalKey(t.key) + "~" + canonicalValue(t.value)
	default:
		return sign + canonicalKey(t.key) + string(t.op) + t.value
	}
}

func canonicalTime(t int64) string { return time.Unix(0, t).UTC().Format(time.RFC3339Nano) }

// canonicalName returns a service or a host, with its asterisk.
func (t *term) canonicalName() string {
	if t.prefix {
		return canonicalValue(t.value) + "*"
	}
	return canonicalValue(t.value)
}

// canonicalPhrase returns words in lower case, which are no words of another language therefore.
func canonicalPhrase(words string) string {
	if strings.IndexFunc(words, isUnsafe) >= 0 {
		return quote(words)
	}
	return words
}

func canonicalKey(key string) string {
	if _, ok := builtin[strings.ToLower(key)]; ok || strings.HasPrefix(key, "-") || strings.IndexFunc(key, isUnsafe) >= 0 {
		return quote(key)
	}
	return key
}

func canonicalValue(value string) string {
	if value == "" || strings.IndexFunc(value, isUnsafe) >= 0 {
		return quote(value)
	}
	return value
}

// isUnsafe reports whether r is quoted wherever it is.
func isUnsafe(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	default:
		return !strings.ContainsRune("_-./", r)
	}
}
