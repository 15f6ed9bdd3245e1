package token

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// What lower holds for bytes that are not ASCII parts of words.
const (
	separator = 0x00
	beyond    = 0xFF // The first byte of a code point beyond ASCII.
)

// lower maps each byte of a word in ASCII to its lower case.
var lower = func() (t [256]byte) {
	for b := range t {
		switch {
		case b >= utf8.RuneSelf:
			t[b] = beyond
		case b >= 'A' && b <= 'Z':
			t[b] = byte(b) + 'a' - 'A'
		case b >= 'a' && b <= 'z', b >= '0' && b <= '9', b == '_':
			t[b] = byte(b)
		}
	}
	return t
}()

// separators are the code points beyond ASCII that are no part of a word, as ranges in ascending order.
var separators = [...][2]rune{
	{0x80, 0xA9}, {0xAB, 0xB4}, {0xB6, 0xB9}, {0xBB, 0xBF}, {0xD7, 0xD7}, {0xF7, 0xF7}, // Latin-1
	{0x37E, 0x37E}, {0x387, 0x387}, // Greek
	{0x55A, 0x55F}, {0x589, 0x58A}, {0x58D, 0x58F}, // Armenian
	{0x5BE, 0x5BE}, {0x5C0, 0x5C0}, {0x5C3, 0x5C3}, {0x5F3, 0x5F4}, // Hebrew
	{0x600, 0x60F}, {0x61B, 0x61F}, {0x66A, 0x66D}, {0x6D4, 0x6D4}, // Arabic
	{0x964, 0x965}, {0xE3F, 0xE3F}, {0xE4F, 0xE4F}, {0xE5A, 0xE5B}, // Indic, Thai
	{0x1680, 0x1680}, {0x180E, 0x180E},
	{0x2000, 0x2070 - 1}, {0x20A0, 0x20CF}, // General punctuation, currencies
	{0x2190, 0x2BFF},                                     // Arrows, operators, boxes, symbols
	{0x2E00, 0x2E2E}, {0x2E30, 0x2E7F}, {0x2FF0, 0x2FFF}, // More punctuation
	{0x3000, 0x3004}, {0x3008, 0x3020}, {0x3030, 0x3030}, {0x3036, 0x3037}, {0x303D, 0x303F}, {0x30FB, 0x30FB}, // CJK
	{0xFE10, 0xFE1F}, {0xFE30, 0xFE6F}, {0xFEFF, 0xFEFF}, // Forms
	{0xFF00, 0xFF0F}, {0xFF1A, 0xFF20}, {0xFF3B, 0xFF40}, {0xFF5B, 0xFF65}, {0xFFE0, 0xFFFF}, // Full width
	{0x1F000, 0x1FAFF}, // Pictures
	{0xE0000, 0xE007F}, // Tags
}

// isWord reports whether a code point beyond ASCII is a part of a word.
func isWord(r rune) bool {
	if r >= 0xC0 && r < 0x37E { // The letters of most of Europe.
		return r != 0xD7 && r != 0xF7
	}
	lo, hi := 0, len(separators)
	for lo < hi {
		mid := (lo + hi) / 2
		if separators[mid][1] < r {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo == len(separators) || r < separators[lo][0]
}

// folded are the ranges beyond ASCII in which the lower case is fixed.
var folded = [...][2]rune{{0xC0, 0x58F}, {0x1E00, 0x1FFF}, {0xFF21, 0xFF3A}}

// fold returns the lower case of a code point beyond ASCII.
func fold(r rune) rune {
	for _, within := range folded {
		if r < within[0] || r > within[1] {
			continue
		}
		if l := unicode.ToLower(r); utf8.RuneLen(l) == utf8.RuneLen(r) {
			return l
		}
	}
	return r
}

// leads has, for each lower case beyond ASCII that is that of other code points, too, the bytes with which one of them
// begins.
var leads = sync.OnceValue(func() map[rune]string {
	m := make(map[rune]string)
	for _, within := range folded {
		for r := within[0]; r <= within[1]; r++ {
			l := fold(r)
			if l == r {
				continue
			}
			for _, writing := range []rune{l, r} {
				if lead := utf8.AppendRune(nil, writing)[:1]; !strings.Contains(m[l], string(lead)) {
					m[l] += string(lead)
				}
			}
		}
	}
	return m
})

// Leads returns the two bytes of which one begins each writing of a word, whatever its case is; they may be the same. It
// is not ok if there are more than two. The word is in lower case and not empty.
func Leads(word []byte) (first, second byte, ok bool) {
	first = word[0]
	switch {
	case first >= 'a' && first <= 'z':
		return first, first - 'a' + 'A', true
	case first < utf8.RuneSelf:
		return first, first, true
	}
	r, _ := utf8.DecodeRune(word)
	switch all := leads()[r]; len(all) {
	case 0:
		return first, first, true
	case 1, 2:
		return all[0], all[len(all)-1], true
	default:
		return 0, 0, false
	}
}
