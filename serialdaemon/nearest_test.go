package serialdaemon_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
)

func TestNearest(t *testing.T) {
	known := []string{"mode", "owner", "group", "timeout.wait"}
	for name, want := range map[string]string{
		"moed":         "mode",
		"mod":          "mode",
		"Mode":         "mode",
		"modes":        "mode",
		"mm":           "",
		"grp":          "",
		"grup":         "group",
		"timeoutwait":  "timeout.wait",
		"timeout_wiat": "timeout.wait",
		"":             "",
		"elephant":     "",
	} {
		require.Equal(t, want, serialdaemon.Nearest(name, known), name)
	}
	require.Empty(t, serialdaemon.Nearest("x", nil))
	long := strings.Repeat("m", 64)
	require.Equal(t, long, serialdaemon.Nearest(long, []string{long}))
	require.Empty(t, serialdaemon.Nearest(long+"m", []string{long}), "too long to be compared")
	require.Empty(t, serialdaemon.Nearest(long, []string{long + "m"}))
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "acb", 1},
		{"abc", "bc", 1}, {"abc", "xabc", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {"abcd", "badc", 2},
	} {
		require.Equal(t, test.want, serialdaemon.Distance(test.a, test.b), test)
		require.Equal(t, test.want, serialdaemon.Distance(test.b, test.a), test)
	}
}
