package block

import (
	"encoding/binary"
	"math/bits"
)

const (
	// bitsPerHash and probes give one wrong answer in about 120.
	bitsPerHash = 10
	probes      = 7

	// bloomWord is the step in which a filter grows, in bytes.
	bloomWord = 8
	// minBloom and maxBloom bound the length of a filter: its bits must be counted in 31 bits.
	minBloom = bloomWord
	maxBloom = 1 << 27
)

// Bloom is the Bloom filter of a block: it knows the hashes of package token that its records have. Its length is a
// multiple of 8 from 8 to 128 MiB.
type Bloom []byte

// bloomLen returns the length of a filter for n hashes.
func bloomLen(n int) int {
	words := (n*bitsPerHash + 8*bloomWord - 1) / (8 * bloomWord)
	return bloomWord * max(1, words)
}

// Has reports whether a record of the block may have the hash: false is certain, true is wrong in about 1 % of
// the cases. A Bloom of a wrong length has every hash.
func (b Bloom) Has(hash uint64) bool {
	if len(b) < minBloom || len(b) > maxBloom || len(b)%bloomWord != 0 {
		return true
	}
	size := uint64(len(b)) * 8
	at, step := hash, bits.RotateLeft64(hash, 32)
	for range probes {
		bit, _ := bits.Mul64(at, size)
		if b[bit/8]&(1<<(bit%8)) == 0 {
			return false
		}
		at += step
	}
	return true
}

// appendBloom appends a filter with hashes, of which each is there once.
func appendBloom(dst []byte, hashes []uint64) []byte {
	begin := len(dst)
	dst = appendZeros(dst, bloomLen(len(hashes)))
	b := dst[begin:]
	size := uint64(len(b)) * 8
	for _, hash := range hashes {
		at, step := hash, bits.RotateLeft64(hash, 32)
		for range probes {
			bit, _ := bits.Mul64(at, size)
			b[bit/8] |= 1 << (bit % 8)
			at += step
		}
	}
	return dst
}

func appendZeros(dst []byte, n int) []byte {
	for range n / bloomWord {
		dst = binary.BigEndian.AppendUint64(dst, 0)
	}
	return dst
}
