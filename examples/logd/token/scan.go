package token

import (
	"encoding/binary"
	"math/bits"
)

// Eight bytes are looked at as one number, of which each byte is below 0x80: so no sum of two carries into the next.
const (
	each = 0x0101010101010101
	high = 0x80 * each
)

// asciiWord returns the highest bit of each of eight bytes of ASCII that is a part of a word.
func asciiWord(x uint64) uint64 {
	digit := (x + (0x80-'0')*each) &^ (x + (0x7F-'9')*each)
	other := (x ^ '_'*each) + 0x7F*each
	x |= 0x20 * each
	letter := (x + (0x80-'a')*each) &^ (x + (0x7F-'z')*each)
	return (letter | digit | ^other) & high
}

// asciiLower returns eight bytes of ASCII in lower case.
func asciiLower(x uint64) uint64 {
	upper := (x&^high + (0x80-'A')*each) &^ (x&^high + (0x7F-'Z')*each) & high
	return x | upper>>2
}

// load returns the eight bytes at i, which is within text, filled up with zeros behind its end.
func load(text []byte, i int) uint64 {
	if i+8 <= len(text) {
		return binary.LittleEndian.Uint64(text[i:])
	}
	if n := len(text); n >= 8 {
		return binary.LittleEndian.Uint64(text[n-8:]) >> (8 * uint(i+8-n))
	}
	return loadShort(text[i:])
}

// loadShort is load for less than eight bytes.
func loadShort(b []byte) uint64 {
	switch n := uint(len(b)); {
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<(8*(n-4))
	case n > 0:
		return uint64(b[0]) | uint64(b[n/2])<<(8*(n/2)) | uint64(b[n-1])<<(8*(n-1))
	default:
		return 0
	}
}

// window is how many bytes are looked at at a time: a bit for each.
const window = 64

// scan looks at a window of text, of which there is one byte at least, and returns a bit for each that is a part of a
// word. It is not ok if one is beyond ASCII.
func scan(text []byte) (parts uint64, ok bool) {
	var all uint64
	j, whole := 0, min(len(text), window)-7
	for ; j < whole; j += 8 {
		x := binary.LittleEndian.Uint64(text[j:])
		all |= x
		parts |= gather(asciiWord(x)) << (j & (window - 1))
	}
	if j < window && j < len(text) {
		x := load(text, j)
		all |= x
		parts |= gather(asciiWord(x)) << (j & (window - 1))
	}
	return parts, all&high == 0
}

// gather makes a number of eight bits of the highest one of each byte; the others are 0.
func gather(x uint64) uint64 { return x >> 7 * 0x0102040810204080 >> 56 }

// asciiHash returns the hash of a word of ASCII that begins text and has n bytes.
func asciiHash(text []byte, n int) uint64 {
	h, i := wordSeed, 0
	for ; n > 8; n -= 8 {
		h = mix(h, asciiLower(binary.LittleEndian.Uint64(text[i:])))
		i += 8
	}
	return finish(mix(h, asciiLower(load(text, i))&(^uint64(0)>>((64-8*n)&63))))
}

// Append appends the hashes of the words of text, in their order and each as often as it occurs.
func Append(dst []uint64, text []byte) []uint64 {
	for len(text) > 0 {
		parts, ok := scan(text)
		if !ok {
			dst, text = appendSlowly(dst, text)
			continue
		}
		dst, parts = appendWindow(dst, text, parts)
		switch {
		case parts == ^uint64(0):
			dst, text = appendNext(dst, text)
		case parts != 0:
			text = text[bits.TrailingZeros64(parts):]
		case len(text) > window:
			text = text[window:]
		default:
			return dst
		}
	}
	return dst
}

// appendWindow is Append for the words that end before the window of text does, and returns what is left of parts: those of
// a word that may go on.
func appendWindow(dst []uint64, text []byte, parts uint64) ([]uint64, uint64) {
	for parts != 0 {
		start := bits.TrailingZeros64(parts)
		n := bits.TrailingZeros64(^(parts >> (start & 63)))
		if start+n == window {
			break
		}
		if n <= 8 && start+8 <= len(text) {
			group := asciiLower(binary.LittleEndian.Uint64(text[start:]))
			dst = append(dst, finish(mix(wordSeed, group&(^uint64(0)>>((64-8*n)&63)))))
		} else {
			dst = append(dst, asciiHash(text[start:], n))
		}
		parts &= ^uint64(0) << ((start + n) & 63)
	}
	return dst, parts
}

// appendSlowly is Append for the words that begin in the next window.
func appendSlowly(dst []uint64, text []byte) ([]uint64, []byte) {
	for n := len(text); len(text) > 0 && n-len(text) < window; {
		dst, text = appendNext(dst, text)
	}
	return dst, text
}

// appendNext is Append for the word that text begins with, or for what is there instead.
func appendNext(dst []uint64, text []byte) ([]uint64, []byte) {
	if lower[text[0]] == separator {
		return dst, text[1:]
	}
	hash, end, ok := word(text, 0)
	if ok {
		dst = append(dst, hash)
	}
	return dst, text[end:]
}
