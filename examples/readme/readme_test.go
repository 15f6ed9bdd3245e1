package readme_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReadmeIsTheExample: each line of the README's Go code stands in the examples, in the same
// order, so that what a newcomer copies has been compiled and run.
func TestReadmeIsTheExample(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	var rest []string
	for _, file := range []string{"example_test.go", "daemon_test.go"} {
		example, err := os.ReadFile(file)
		require.NoError(t, err)
		rest = append(rest, strings.Split(string(example), "\n")...)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(readme, -1)
	require.Len(t, blocks, 5)
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
