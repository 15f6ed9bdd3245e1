package block

import (
	"math/bits"
	"math/rand/v2"
)

// The bounds of a table, as powers of two: what it begins with, and what it may keep for the next block.
const (
	minTable  = 1 << 12
	keepTable = 1 << 16
)

// hashSet is a set of hashes that remembers them in the order in which they came. Open addressing; a slot of 0 is
// free, and the hash 0 is therefore kept apart.
type hashSet struct {
	slots  []uint64
	hashes []uint64
	zero   bool

	// secret and spread are random: the hashes are known to everybody, and without them words could be chosen
	// that all begin their search at one slot.
	secret, spread uint64
}

// slot returns where the search for h begins.
func (s *hashSet) slot(h uint64) uint64 {
	high, low := bits.Mul64(h^s.secret, s.spread)
	return (high ^ low) & uint64(len(s.slots)-1)
}

// add puts h into the set.
func (s *hashSet) add(h uint64) {
	if h == 0 {
		s.addZero()
		return
	}
	mask := uint64(len(s.slots) - 1)
	for i := s.slot(h); ; i = (i + 1) & mask {
		switch s.slots[i] {
		case h:
			return
		case 0:
			s.slots[i] = h
			s.hashes = append(s.hashes, h)
			if 2*len(s.hashes) > len(s.slots) {
				s.grow()
			}
			return
		}
	}
}

// addAll puts hashes into the set.
func (s *hashSet) addAll(hashes []uint64) {
	slots, secret, spread := s.slots, s.secret, s.spread
	for _, h := range hashes {
		high, low := bits.Mul64(h^secret, spread)
		i := (high ^ low) & uint64(len(slots)-1)
		if h == 0 || slots[i] != h {
			s.add(h)
			slots, secret, spread = s.slots, s.secret, s.spread
		}
	}
}

func (s *hashSet) addZero() {
	if !s.zero {
		s.zero = true
		s.hashes = append(s.hashes, 0)
	}
}

func (s *hashSet) grow() {
	s.table(2 * len(s.slots))
	mask := uint64(len(s.slots) - 1)
	for _, h := range s.hashes {
		if h == 0 {
			continue
		}
		i := s.slot(h)
		for s.slots[i] != 0 {
			i = (i + 1) & mask
		}
		s.slots[i] = h
	}
}

// table makes an empty table of n slots, a power of two.
func (s *hashSet) table(n int) {
	s.slots, s.secret, s.spread = make([]uint64, n), rand.Uint64(), rand.Uint64()|1
}

// reset empties the set and makes it usable. What a large block has made it grow to is given up.
func (s *hashSet) reset() {
	s.zero = false
	if len(s.slots) == 0 || len(s.slots) > keepTable {
		s.table(minTable)
		s.hashes = nil
		return
	}
	clear(s.slots)
	s.hashes = s.hashes[:0]
}
