package token

import "unicode/utf8"

// Each calls yield with the hash of each word of text, in their order, until it returns false.
func Each(text []byte, yield func(hash uint64) bool) {
	for at := 0; ; {
		hash, _, end, ok := Next(text, at)
		if !ok || !yield(hash) {
			return
		}
		at = end
	}
}

// Next returns the hash and the place of the first word of text[at:]. It is not ok if there is none. A position at
// within a word finds the rest of that word.
func Next(text []byte, at int) (hash uint64, start, end int, ok bool) {
	for i := at; i < len(text); {
		if lower[text[i]] == separator {
			i++
			continue
		}
		if hash, end, ok = word(text, i); ok {
			return hash, i, end, true
		}
		i = end
	}
	return 0, len(text), len(text), false
}

// word hashes the word that begins at start and returns its end. It is not ok if there is a separator beyond ASCII
// instead, whose end is returned.
func word(text []byte, start int) (hash uint64, end int, ok bool) {
	h, group, shift := wordSeed, uint64(0), uint(0)
	i := start
	for ; i < len(text); i++ {
		c := lower[text[i]]
		if c == separator {
			break
		}
		if c == beyond {
			return wideWord(text, start)
		}
		group |= uint64(c) << shift
		if shift += 8; shift == 64 {
			h, group, shift = mix(h, group), 0, 0
		}
	}
	if shift > 0 {
		h = mix(h, group)
	}
	return finish(h), i, true
}

// wideWord is word for text beyond ASCII.
func wideWord(text []byte, start int) (hash uint64, end int, ok bool) {
	h, group, shift := wordSeed, uint64(0), uint(0)
	i := start
	for i < len(text) {
		r, size := letter(text[i:])
		if r == 0 {
			if i == start {
				return 0, i + size, false
			}
			break
		}
		var folded [utf8.UTFMax]byte
		for _, c := range folded[:utf8.EncodeRune(folded[:], r)] {
			group |= uint64(c) << shift
			if shift += 8; shift == 64 {
				h, group, shift = mix(h, group), 0, 0
			}
		}
		i += size
	}
	if shift > 0 {
		h = mix(h, group)
	}
	return finish(h), i, true
}
