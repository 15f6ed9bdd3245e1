package query

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/token"
)

// Parse returns the filter of a query, in which durations are before now; an empty one lets everything pass. The error is
// a *logwire.FieldError with ErrQuery for the field "query", and its Detail names the position in characters, from 1, and
// the token there.
func Parse(text string, now time.Time) (*Filter, error) {
	switch {
	case len(text) > logwire.MaxQuery:
		return nil, fail("", 0, "the query has %d bytes, and the limit is %d", len(text), logwire.MaxQuery)
	case !utf8.ValidString(text):
		return nil, fail("", 0, "the query is not UTF-8")
	}
	f := newFilter()
	for s := (scanner{text: text}); ; {
		c, ok, err := s.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			return f, nil
		}
		if len(f.terms) == MaxTerms {
			return nil, fail(text, c.position, "there are more than %d terms", MaxTerms)
		}
		t, problem := c.term(now)
		if problem == "" {
			problem = f.add(t)
		}
		if problem != "" {
			return nil, fail(text, c.position, "%s", problem)
		}
	}
}

// builtin are the names that are no fields, and the operators that they take.
var builtin = map[string][]operator{
	"service": {isOp},
	"host":    {isOp},
	"level":   {isOp, eqOp, neOp, geOp, leOp, gtOp, ltOp},
	"since":   {isOp},
	"until":   {isOp},
	"message": {matchOp},
}

// term returns what a clause means, or what is wrong with it.
func (c *clause) term(now time.Time) (t term, problem string) {
	t = term{negated: c.negated, op: c.op, key: c.name.text, value: c.value.text}
	if c.op == "" {
		return t.phrase(c.name)
	}
	if allowed, ok := builtin[c.name.text]; ok && !c.name.quoted {
		if problem = checkOperator(c, allowed); problem != "" {
			return t, problem
		}
		t.key = ""
		if problem = c.checkValue(); problem != "" {
			return t, problem
		}
		return t.builtin(c, now)
	}
	return t.field(c)
}

func (t term) phrase(p piece) (term, string) {
	t.key = ""
	if problem := checkWord(p); problem != "" {
		return t, problem
	}
	folded := token.Fold(nil, []byte(p.text))
	var words []string
	for at := token.Start(folded, 0); at < len(folded); at = token.Start(folded, at) {
		end := token.End(folded, at)
		words = append(words, string(folded[at:end]))
		at = end
	}
	switch {
	case len(words) > MaxWords:
		return t, fmt.Sprintf("the phrase has %d words, and the limit is %d; message~ finds any text", len(words), MaxWords)
	case len(words) == 0:
		return t, "there is no letter or digit to look for; message~ finds any text"
	}
	t.value = strings.Join(words, " ")
	return t, ""
}

func (t term) builtin(c *clause, now time.Time) (term, string) {
	switch c.name.text {
	case "service":
		t.kind = serviceTerm
		return t.name(c, logwire.MaxService)
	case "host":
		t.kind = hostTerm
		return t.name(c, logwire.MaxHost)
	case "level":
		return t.levels()
	case "message":
		t.kind = messageTerm
		if t.value == "" {
			return t, "an empty text is in every message"
		}
		return t, ""
	}
	t.kind = sinceTerm
	if c.name.text == "until" {
		t.kind = untilTerm
	}
	at, err := instant(t.value, now)
	if err != nil {
		return t, err.Error()
	}
	t.time, t.value, t.op = at, "", ""
	return t, ""
}

// name makes t a service or a host, of at most limit bytes.
func (t term) name(c *clause, limit int) (term, string) {
	t.op, t.prefix = "", c.star
	if !c.value.quoted {
		t.value, t.prefix = strings.CutSuffix(t.value, "*")
	}
	switch {
	case t.prefix && t.value == "":
		return t, "a * alone would let everything pass"
	case !c.value.quoted && strings.Contains(t.value, "*"):
		return t, "a * stands at the end alone; quote the value if it means itself"
	case t.value == "" && t.kind == serviceTerm:
		return t, "every record has a service"
	case len(t.value) > limit:
		return t, "the name is longer than any"
	}
	return t, ""
}

var levelNames = []string{"trace", "debug", "info", "warn", "error", "fatal"}

func (t term) levels() (term, string) {
	level, ok := logwire.ParseLevel(t.value)
	if !ok {
		return t, "the levels are " + strings.Join(levelNames, ", ") + suggest(strings.ToLower(t.value), levelNames...)
	}
	if t.op == eqOp {
		t.op = isOp
	}
	t.kind, t.level, t.value = levelTerm, level, ""
	return t, ""
}

// field makes t a condition on a field.
func (t term) field(c *clause) (term, string) {
	if problem := checkKey(c); problem != "" {
		return t, problem
	}
	if problem := c.checkValue(); problem != "" {
		return t, problem
	}
	if !c.value.quoted && strings.Contains(t.value, "*") {
		return t, "a field is compared as a whole; use ~ for a part of it, or quote the value if * means itself"
	}
	switch t.op {
	case eqOp:
		t.kind = equalTerm
	case neOp:
		t.kind = unequalTerm
	case matchOp:
		t.kind = containsTerm
		if t.value == "" {
			return t, "an empty text is in every value"
		}
	default:
		t.kind = compareTerm
		if _, ok := parseNumber([]byte(t.value)); !ok {
			return t, string(t.op) + " compares numbers, such as 10, -1.5 or 2e9"
		}
		return t, ""
	}
	t.op = ""
	return t, ""
}
