package query

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// unclear are the characters that other languages give a meaning to: they stand in quotes here.
const unclear = "()|&*;\\`"

// checkWord returns what is wrong with a word or phrase.
func checkWord(p piece) string {
	switch {
	case p.quoted:
		return ""
	case p.text == "AND":
		return "all terms must match anyway; quote it to look for the word"
	case p.text == "OR":
		return "there is no OR; quote it to look for the word"
	case p.text == "NOT":
		return "a term is negated with - before it; quote it to look for the word"
	case strings.HasPrefix(p.text, "-"):
		return "a term is negated once"
	}
	if i := strings.IndexAny(p.text, unclear); i >= 0 {
		return fmt.Sprintf("%q has no meaning here; quote it, or use message~ for an exact text", p.text[i:i+1])
	}
	return ""
}

// checkOperator returns what is wrong with the operator behind a name that is no field.
func checkOperator(c *clause, allowed []operator) string {
	if slices.Contains(allowed, c.op) {
		return ""
	}
	name := c.name.text
	instead := name + string(allowed[0])
	return fmt.Sprintf(`%s goes with %s; did you mean %q? A field of this name is written "%s"%s`, name, allowed[0],
		instead, name, c.op)
}

// checkKey returns what is wrong with the name of a field.
func checkKey(c *clause) string {
	name := c.name
	switch {
	case c.op == isOp && name.quoted:
		return "a field is compared with =, not with :"
	case c.op == isOp:
		hint := suggest(strings.ToLower(name.text), "service", "host", "level", "since", "until", "message")
		return fmt.Sprintf("there is no term %q%s Fields are compared with =; quote what is meant as words",
			shorten(name.text)+":", end(hint))
	case name.text == "":
		return "a field has a name"
	case len(name.text) > logwire.MaxKey:
		return fmt.Sprintf("the name of the field has %d bytes, and the limit is %d", len(name.text), logwire.MaxKey)
	case name.quoted:
		return ""
	case strings.HasPrefix(name.text, "-"):
		return "a term is negated once; quote the name of the field if it begins with -"
	}
	for _, known := range []string{"service", "host", "level", "since", "until", "message"} {
		if strings.EqualFold(name.text, known) {
			return fmt.Sprintf("did you mean %q? A field of this name is written %q%s", known+string(builtin[known][0]), name.text, c.op)
		}
	}
	if i := strings.IndexAny(name.text, unclear+",'"); i >= 0 {
		return fmt.Sprintf("the name of the field has %q; quote it", name.text[i:i+1])
	}
	return ""
}

// end makes a hint, which may be empty, the end of a sentence.
func end(hint string) string {
	if hint == "" {
		return "."
	}
	return hint
}

// checkValue returns what is wrong with the value of a clause, whatever its name is.
func (c *clause) checkValue() string {
	names := c.op == isOp && (c.name.text == "service" || c.name.text == "host") && !c.name.quoted
	switch {
	case c.star && !names:
		return "a * behind quotes goes with service: and host:"
	case c.value.quoted:
		return ""
	case strings.ContainsAny(c.value.text, `\`):
		return `a \ has a meaning within quotes alone; quote the value, with \\ for each`
	}
	if last, _ := utf8.DecodeLastRuneInString(c.value.text); strings.ContainsRune(",;()", last) {
		return fmt.Sprintf("terms are separated by spaces; quote the value if it ends with %q", last)
	}
	return ""
}
