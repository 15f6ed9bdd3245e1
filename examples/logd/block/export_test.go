package block

// AppendBloom is appendBloom.
var AppendBloom = appendBloom

// Distinct returns the hashes that a set remembers, after it was used for a larger one.
func Distinct(before int, hashes ...uint64) []uint64 {
	var s hashSet
	s.reset()
	for i := range before {
		s.add(uint64(i))
	}
	s.reset()
	s.addAll(hashes)
	return s.hashes
}

// KeptTable returns how many slots a set keeps after n hashes.
func KeptTable(n int) int {
	var s hashSet
	s.reset()
	for i := range n {
		s.add(uint64(i))
	}
	s.reset()
	return len(s.slots)
}

// LongestSearch returns the largest number of slots in a row that are taken when a set has the hashes.
func LongestSearch(hashes []uint64) (longest int) {
	var s hashSet
	s.reset()
	for _, h := range hashes {
		s.add(h)
	}
	row := 0
	for _, slot := range s.slots {
		if row++; slot == 0 {
			row = 0
		}
		longest = max(longest, row)
	}
	return longest
}

// Names returns how many services a Builder remembers.
func Names(b *Builder) int { return len(b.names) }
