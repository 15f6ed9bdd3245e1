package token

import "unicode/utf8"

// Fold appends text in lower case, as words are compared: it has the same length.
func Fold(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		r, size := letter(text[i:])
		if r == 0 {
			dst = append(dst, text[i:i+size]...)
		} else {
			dst = utf8.AppendRune(dst, r)
		}
		i += size
	}
	return dst
}

// Start returns where the first word of text[at:] begins, or len(text) if there is none.
func Start(text []byte, at int) int {
	for at < len(text) {
		r, size := letter(text[at:])
		if r != 0 {
			break
		}
		at += size
	}
	return at
}

// End returns where the word ends that begins, or goes on, at a position.
func End(text []byte, at int) int {
	for at < len(text) {
		r, size := letter(text[at:])
		if r == 0 {
			break
		}
		at += size
	}
	return at
}

// HasWord reports whether text has the word at a position, in any case, and ends it there. The word is in lower case
// and not empty. What is before the position is not looked at: see IsStart.
func HasWord(text []byte, at int, word []byte) bool {
	if at < 0 || len(text)-at < len(word) {
		return false
	}
	there := text[at : at+len(word)]
	for i := 0; i < len(word); {
		if c := lower[there[i]]; c != beyond {
			if c != word[i] {
				return false
			}
			i++
			continue
		}
		r, size := letter(there[i:])
		want, _ := utf8.DecodeRune(word[i:])
		if r == 0 || r != want {
			return false
		}
		i += size
	}
	return IsEnd(text, at+len(word))
}

// IsStart reports whether no word goes on from before a position, which is between two code points: it is 0,
// or a separator is before it.
func IsStart(text []byte, at int) bool {
	if at == 0 {
		return true
	}
	if c := lower[text[at-1]]; c != beyond {
		return c == separator
	}
	r, _ := utf8.DecodeLastRune(text[:at])
	return !isWord(r)
}

// IsEnd reports whether no word goes on at a position, which is between two code points: it is len(text), or
// a separator is behind it.
func IsEnd(text []byte, at int) bool {
	if at == len(text) {
		return true
	}
	r, _ := letter(text[at:])
	return r == 0
}

// letter returns the lower case of the code point that text begins with, and its length, which is that of its lower
// case, too. It is 0 for one that is no part of a word. Text is not empty.
func letter(text []byte) (r rune, size int) {
	c := lower[text[0]]
	if c != beyond {
		return rune(c), 1
	}
	r, size = utf8.DecodeRune(text)
	if !isWord(r) {
		return 0, size
	}
	return fold(r), size
}
