package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// piece is a name or a value as it was written.
type piece struct {
	text   string
	quoted bool
}

// clause is a term as it was written: [-]name[operator value].
type clause struct {
	// raw is all of it, and position the index of its first byte in the query.
	raw      string
	position int
	negated  bool
	name     piece
	// op is empty for words.
	op    operator
	value piece
	// star is set if an asterisk follows the value's quotes.
	star bool
}

// scanner splits a query into clauses.
type scanner struct {
	text string
	at   int
}

// next returns the next clause; ok is false at the end.
func (s *scanner) next() (c clause, ok bool, err error) {
	for s.at < len(s.text) {
		r, size := utf8.DecodeRuneInString(s.text[s.at:])
		if !unicode.IsSpace(r) {
			break
		}
		s.at += size
	}
	if s.at == len(s.text) {
		return clause{}, false, nil
	}
	c = clause{position: s.at}
	if err = s.clause(&c); err != nil {
		return clause{}, false, err
	}
	c.raw = s.text[c.position:s.at]
	return c, true, nil
}

func (s *scanner) clause(c *clause) (err error) {
	if s.take("-") {
		c.negated = true
	}
	if c.name, err = s.piece(isNameEnd); err != nil {
		return err
	}
	for _, op := range operators {
		if s.take(string(op)) {
			c.op = op
			break
		}
	}
	if err = s.checkName(c); err != nil || c.op == "" {
		return err
	}
	if rest := s.text[s.at:]; rest != "" && strings.ContainsRune(":=<>!~", rune(rest[0])) {
		return s.fail(c.position, "there is no operator %q; quote the value if it begins so", string(c.op)+rest[:1])
	}
	if c.value, err = s.piece(unicode.IsSpace); err != nil {
		return err
	}
	if c.value.quoted {
		c.star = s.take("*")
	} else if c.value.text == "" {
		return s.fail(c.position, "there is no value behind %s", c.op)
	}
	return s.checkEnd(c.position)
}

// checkName returns an error for a clause that has no name, or goes on wrongly behind it.
func (s *scanner) checkName(c *clause) error {
	switch missing := !c.name.quoted && c.name.text == ""; {
	case missing && c.op != "":
		return s.fail(c.position, "there is no name before %s; write name%svalue without spaces", c.op, c.op)
	case strings.HasPrefix(s.text[s.at:], "!"):
		return s.fail(c.position, "a term is negated with - before it, and != is the only operator with !")
	case missing && c.negated:
		return s.fail(c.position, "- negates the term that follows it without a space")
	case c.op == "":
		return s.checkEnd(c.position)
	}
	return nil
}

// checkEnd returns an error if a clause goes on behind its last piece.
func (s *scanner) checkEnd(position int) error {
	rest := s.text[s.at:]
	if r, _ := utf8.DecodeRuneInString(rest); rest == "" || unicode.IsSpace(r) {
		return nil
	}
	return s.fail(position, "a space is missing before or behind quotes")
}

// piece returns a quoted piece, or what is before quotes and before the first code point that ends it.
func (s *scanner) piece(end func(rune) bool) (piece, error) {
	if s.take(`"`) {
		text, err := s.unquote()
		return piece{text, true}, err
	}
	rest := s.text[s.at:]
	n := strings.IndexFunc(rest, func(r rune) bool { return r == '"' || end(r) })
	if n < 0 {
		n = len(rest)
	}
	s.at += n
	return piece{rest[:n], false}, nil
}

func isNameEnd(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(":=<>!~", r) }

func (s *scanner) take(prefix string) bool {
	if !strings.HasPrefix(s.text[s.at:], prefix) {
		return false
	}
	s.at += len(prefix)
	return true
}
