package query

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// maxToken is how many bytes of a token an error shows.
const maxToken = 40

// fail returns the error of a query: the position of a byte, counted in characters from 1, the token there, and
// what is wrong with it.
func fail(text string, position int, format string, args ...any) error {
	return &logwire.FieldError{
		Record: logwire.NoRecord, Field: "query", Kind: logwire.ErrQuery,
		Detail: fmt.Sprintf("position %d, %q: %s", utf8.RuneCountInString(text[:position])+1,
			tokenAt(text[position:]), fmt.Sprintf(format, args...)),
	}
}

// tokenAt returns what text begins with, up to a space.
func tokenAt(text string) string {
	if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
		text = text[:i]
	}
	return shorten(text)
}

// shorten returns text if it is short enough to be shown, and what it begins with otherwise.
func shorten(text string) string {
	if len(text) <= maxToken {
		return text
	}
	n := maxToken
	for !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "…"
}

func (s *scanner) fail(position int, format string, args ...any) error {
	return fail(s.text, position, format, args...)
}
