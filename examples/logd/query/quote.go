package query

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// unquote returns the text up to the closing quotes, and goes behind them.
func (s *scanner) unquote() (string, error) {
	open := s.at - 1
	var b strings.Builder
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case '"':
			s.at++
			if !utf8.ValidString(b.String()) {
				return "", s.fail(open, `the \x are not UTF-8`)
			}
			return b.String(), nil
		case '\\':
			escaped, err := s.escape()
			if err != nil {
				return "", err
			}
			b.WriteByte(escaped)
		default:
			b.WriteByte(c)
			s.at++
		}
	}
	return "", s.fail(open, "the closing quotes are missing")
}

// escape returns the byte that a backslash and what follows it stand for, and goes behind them.
func (s *scanner) escape() (byte, error) {
	rest := s.text[s.at:]
	if len(rest) < 2 {
		return 0, s.fail(s.at, "the closing quotes are missing")
	}
	switch rest[1] {
	case '"', '\\':
		s.at += 2
		return rest[1], nil
	case 'n':
		s.at += 2
		return '\n', nil
	case 'r':
		s.at += 2
		return '\r', nil
	case 't':
		s.at += 2
		return '\t', nil
	case 'x':
		if len(rest) >= 4 {
			if n, err := strconv.ParseUint(rest[2:4], 16, 8); err == nil {
				s.at += 4
				return byte(n), nil
			}
		}
	}
	return 0, s.fail(s.at, `the escapes are \" \\ \n \r \t and \x with two hexadecimal digits`)
}

// quote is the inverse of unquote, with the quotes.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c == 0x7F:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
