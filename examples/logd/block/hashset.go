package block

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
}

// add puts h into the set.
func (s *hashSet) add(h uint64) {
	if h == 0 {
		s.addZero()
		return
	}
	mask := uint64(len(s.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
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

func (s *hashSet) addZero() {
	if !s.zero {
		s.zero = true
		s.hashes = append(s.hashes, 0)
	}
}

func (s *hashSet) grow() {
	s.slots = make([]uint64, 2*len(s.slots))
	mask := uint64(len(s.slots) - 1)
	for _, h := range s.hashes {
		if h == 0 {
			continue
		}
		i := h & mask
		for s.slots[i] != 0 {
			i = (i + 1) & mask
		}
		s.slots[i] = h
	}
}

// reset empties the set and makes it usable. What a large block has made it grow to is given up.
func (s *hashSet) reset() {
	s.zero = false
	if len(s.slots) == 0 || len(s.slots) > keepTable {
		*s = hashSet{slots: make([]uint64, minTable)}
		return
	}
	clear(s.slots)
	s.hashes = s.hashes[:0]
}
