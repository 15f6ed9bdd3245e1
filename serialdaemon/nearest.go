package serialdaemon

// maxName bounds the names that are compared, in bytes: comparing takes the product of two lengths.
const maxName = 64

// nearest returns which of the known names is nearest to name, "" if all are far: more than a third of its
// length, rounded up, would have to be changed. Of two that are as near, the first one known is returned.
func nearest(name string, known []string) string {
	best, least := "", (len(name)+2)/3+1
	if len(name) > maxName {
		return ""
	}
	for _, k := range known {
		if len(k) > maxName {
			continue
		}
		if d := distance(name, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is how many bytes have to be inserted, removed, replaced, or exchanged with their neighbour, to make
// b of a.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(replace, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
