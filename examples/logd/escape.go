package main

import (
	"strconv"
	"unicode/utf8"
)

// printable is the index of the first character that is not to be shown as it is: a control character, one that is not visible, or
// one that changes the direction of the text; len(s) if there is none.
func printable(s string) int {
	for i, r := range s {
		if !strconv.IsPrint(r) || r == utf8.RuneError {
			return i
		}
	}
	return len(s)
}

// escape makes a text safe for a terminal, on one line: whatever is not printable becomes an escape sequence of Go, such as
// \n, \x1b or \u202e.
func escape(s string) string {
	if printable(s) == len(s) {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n > 1, strconv.IsPrint(r) && r != utf8.RuneError:
			b = append(b, s[:n]...)
		case r == utf8.RuneError:
			b = append(b, `\x`...)
			b = append(b, "0123456789abcdef"[s[0]>>4], "0123456789abcdef"[s[0]&15])
		default:
			quoted := strconv.AppendQuoteRune(nil, r)
			b = append(b, quoted[1:len(quoted)-1]...)
		}
		s = s[n:]
	}
	return string(b)
}

// escapeJSON makes JSON safe for a terminal: what is not printable in its strings, and is not escaped by JSON, becomes \uXXXX. It means
// the same.
func escapeJSON(s string) string {
	i := printable(s)
	if i == len(s) {
		return s
	}
	b := []byte(s[:i])
	for _, r := range s[i:] {
		switch {
		case strconv.IsPrint(r):
			b = utf8.AppendRune(b, r)
		case r > 0xffff:
			r -= 0x10000
			b = appendU(appendU(b, 0xd800+r>>10), 0xdc00+r&0x3ff)
		default:
			b = appendU(b, r)
		}
	}
	return string(b)
}

func appendU(b []byte, r rune) []byte {
	b = append(b, `\u`...)
	for shift := 12; shift >= 0; shift -= 4 {
		b = append(b, "0123456789abcdef"[r>>shift&15])
	}
	return b
}
