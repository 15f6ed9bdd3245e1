package query

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sequences returns all sequences of 1 to n of these words.
func sequences(words []string, n int) (all [][]string) {
	last := [][]string{nil}
	for range n {
		var longer [][]string
		for _, s := range last {
			for _, w := range words {
				longer = append(longer, append(slices.Clone(s), w))
			}
		}
		all, last = append(all, longer...), longer
	}
	return all
}

func hasSequence(words, part []string) bool {
	for i := range len(words) - len(part) + 1 {
		if slices.Equal(words[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

// TestPhraseThatBeginsWithinItself: whatever a text has in common with a phrase before the phrase begins, it is found.
func TestPhraseThatBeginsWithinItself(t *testing.T) {
	for _, words := range [][]string{{"a", "b"}, {"aba", "ab"}, {"ſ", "s"}} {
		texts := sequences(words, 9)
		for _, part := range sequences(words, 6) {
			p := newPhrase(term{value: strings.Join(part, " ")})
			for _, text := range texts {
				if got := p.in([]byte(strings.Join(text, "-"))); got != hasSequence(text, part) {
					t.Fatalf("%q in %q: %v", part, text, got)
				}
			}
		}
	}
}

// TestPhraseIsComparedOnce: where a phrase does not follow, what was compared is not gone through again.
func TestPhraseIsComparedOnce(t *testing.T) {
	text := []byte(strings.Repeat("a ", 30_000))
	p := newPhrase(term{value: strings.Repeat("a ", MaxWords-1) + "b"})
	end, found := p.run(text, 0)
	require.False(t, found)
	require.Equal(t, len(text), end)
}
