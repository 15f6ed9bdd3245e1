package query_test

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// condition is a term as the tests know it. They write it as a text for Parse, and decide by themselves, slowly and plainly, whether
// a record meets it.
type condition struct {
	kind    string // "phrase", "service", "host", "level", "since", "until", "message", "="; "!=", "~", ">", ...
	negated bool
	op      string // of a level
	key     string
	value   string
	prefix  bool
	level   logwire.Level
	at      time.Time
}

// met is the oracle.
func (c condition) met(r logwire.Record) bool { return c.holds(r) != c.negated }

func (c condition) holds(r logwire.Record) bool {
	switch c.kind {
	case "phrase":
		texts := []string{r.Message}
		for _, f := range r.Fields {
			texts = append(texts, f.Value)
		}
		return slices.ContainsFunc(texts, func(text string) bool { return hasPhrase(naiveWords(text), naiveWords(c.value)) })
	case "service":
		return c.named(r.Service)
	case "host":
		return c.named(r.Host)
	case "level":
		return ordered(c.op, int(r.Level)-int(c.level))
	case "since":
		return !time.Unix(0, r.Time).Before(c.at)
	case "until":
		return time.Unix(0, r.Time).Before(c.at)
	case "message":
		return strings.Contains(r.Message, c.value)
	}
	var values []string
	for _, f := range r.Fields {
		if f.Key == c.key {
			values = append(values, f.Value)
		}
	}
	if c.kind == "!=" {
		return len(values) > 0 && !slices.Contains(values, c.value)
	}
	return slices.ContainsFunc(values, c.hasValue)
}

func (c condition) named(name string) bool {
	return name == c.value || c.prefix && strings.HasPrefix(name, c.value)
}

func (c condition) hasValue(value string) bool {
	switch c.kind {
	case "=":
		return value == c.value
	case "~":
		return strings.Contains(value, c.value)
	}
	n, ok := naiveNumber(value)
	m, _ := naiveNumber(c.value)
	return ok && ordered(c.kind, n.Cmp(m))
}

func ordered(op string, order int) bool {
	return map[string]bool{
		":": order == 0, "=": order == 0, "!=": order != 0, ">": order > 0, ">=": order >= 0, "<": order < 0, "<=": order <= 0,
	}[op]
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func naiveNumber(s string) (*big.Rat, bool) {
	if !jsonNumber.MatchString(s) {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

func naiveWords(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_'
	})
}

func hasPhrase(words, phrase []string) bool {
	for i := range len(words) - len(phrase) + 1 {
		if slices.Equal(words[i:i+len(phrase)], phrase) {
			return true
		}
	}
	return false
}

// text writes the condition; quoted asks for quotes where they can be left out.
func (c condition) text(quoted bool) string {
	sign := ""
	if c.negated {
		sign = "-"
	}
	value := c.value
	if quoted || value == "" || strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' }) {
		value = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\x00", `\x00`).Replace(value) + `"`
	}
	switch c.kind {
	case "phrase":
		return sign + value
	case "service", "host":
		if c.prefix {
			value += "*"
		}
		return sign + c.kind + ":" + value
	case "level":
		return sign + "level" + c.op + c.level.String()
	case "since", "until":
		return sign + c.kind + ":" + c.at.Format(time.RFC3339Nano)
	case "message":
		return sign + "message~" + value
	default:
		key := c.key
		if quoted || strings.ContainsAny(key, ` "`) || key == "service" {
			key = `"` + strings.ReplaceAll(key, `"`, `\"`) + `"`
		}
		return sign + key + c.kind + value
	}
}
