package query

import "fmt"

// suggest returns the question whether the nearest of names was meant, or nothing if none is near.
func suggest(name string, names ...string) string {
	best, distance := "", 3
	for _, candidate := range names {
		if d := edits(name, candidate); d < distance && d < len(candidate)-1 {
			best, distance = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// edits is the number of bytes to insert, delete or change that make b of a, and more than 2 if that is plain
// from their lengths.
func edits(a, b string) int {
	if len(a) > len(b)+2 || len(b) > len(a)+2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
