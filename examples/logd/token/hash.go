package token

import "encoding/binary"

// multiplier is the golden ratio of 2^64, made odd.
const multiplier = 0x9E3779B97F4A7C15

// The seeds keep the hashes of a word, a field, ... of the same text apart.
const (
	wordSeed uint64 = 1 + iota
	fieldSeed
	keySeed
	serviceSeed
	hostSeed
)

// mix takes in 8 bytes, little-endian.
func mix(h, group uint64) uint64 {
	h = (h ^ group) * multiplier
	return h ^ h>>32
}

// finish spreads the last group over all bits.
func finish(h uint64) uint64 {
	h *= multiplier
	return h ^ h>>29
}

// mixText takes in the length of a text, then its bytes in groups of 8, the last one filled up with zeros.
func mixText(h uint64, b []byte) uint64 {
	h = mix(h, uint64(len(b)))
	for ; len(b) >= 8; b = b[8:] {
		h = mix(h, binary.LittleEndian.Uint64(b))
	}
	if len(b) == 0 {
		return h
	}
	return mix(h, loadShort(b))
}

// Field returns the hash of a field: its key and its value, byte for byte, upper and lower case being different.
func Field(key, value []byte) uint64 { return finish(mixText(mixText(fieldSeed, key), value)) }

// Key returns the hash of a field's key, which says that a record has such a field at all.
func Key(key []byte) uint64 { return finish(mixText(keySeed, key)) }

// Service returns the hash of a record's service.
func Service(name []byte) uint64 { return finish(mixText(serviceSeed, name)) }

// Host returns the hash of a record's host.
func Host(name []byte) uint64 { return finish(mixText(hostSeed, name)) }
