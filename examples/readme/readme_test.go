package readme_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReadmeIsTheExample: each line of the README's Go code stands in the example, in the same
// order, so that what a newcomer copies has been compiled and run.
func TestReadmeIsTheExample(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	example, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(readme, -1)
	require.Len(t, blocks, 2)
	rest := strings.Split(string(example), "\n")
	for _, block := range blocks {
		for line := range strings.Lines(string(block[1])) {
			line = strings.TrimSpace(line)
			at := 0
			for at < len(rest) && strings.TrimSpace(rest[at]) != line {
				at++
			}
			require.Less(t, at, len(rest), "not in the example, or in another order: %s", line)
			rest = rest[at+1:]
		}
	}
}
