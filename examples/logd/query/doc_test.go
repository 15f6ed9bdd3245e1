package query_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/query"
)

var (
	row  = regexp.MustCompile("(?m)^\\| (`.*) \\| (.*) \\|$")
	code = regexp.MustCompile("`([^`]+)`")
)

// TestDocument: the examples of docs/query.md parse, or fail as it says.
func TestDocument(t *testing.T) {
	b, err := os.ReadFile("../docs/query.md")
	require.NoError(t, err)
	terms, rest, ok := strings.Cut(string(b), "## Errors")
	require.True(t, ok)
	failures, _, ok := strings.Cut(rest, "## What can skip blocks")
	require.True(t, ok)

	examples := 0
	for _, r := range row.FindAllStringSubmatch(terms, -1) {
		for _, text := range code.FindAllStringSubmatch(r[1], -1) {
			_, err := query.Parse(text[1], now)
			require.NoError(t, err, text[1])
			examples++
		}
	}
	require.Greater(t, examples, 15)
	rows := row.FindAllStringSubmatch(failures, -1)
	require.Greater(t, len(rows), 8)
	for _, r := range rows {
		_, err := query.Parse(strings.Trim(r[1], "`"), now)
		require.Error(t, err, r[1])
		for part := range strings.SplitSeq(strings.Trim(r[2], "`"), "…") {
			require.Contains(t, err.Error(), strings.TrimSpace(part), r[1])
		}
	}
}
