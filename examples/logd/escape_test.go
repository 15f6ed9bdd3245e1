package main

import (
	"encoding/json"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestEscape(t *testing.T) {
	for text, want := range map[string]string{
		"plain é 日本":            "plain é 日本",
		"":                      "",
		"a\nb\r\tc":             `a\nb\r\tc`,
		"\x1b[31mred\x1b]0;t\a": `\x1b[31mred\x1b]0;t\a`,
		"\u009b31m":             `\u009b31m`,
		"\u202etxt.exe":         `\u202etxt.exe`,
		"\u200b\x7f\u00a0":      `\u200b\x7f\u00a0`,
		"a\xffb":                `a\xffb`,
		"\uFFFD":                "\uFFFD",
		"\U000E0001":            `\U000e0001`,
	} {
		require.Equal(t, want, escape(text), "%q", text)
	}
}

// FuzzEscape: nothing that could drive a terminal is left, and JSON means the same.
func FuzzEscape(f *testing.F) {
	f.Add("\x1b[2J\u009b\u202e\U000E0001\xff\n")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range escape(s) {
			if !strconv.IsPrint(r) {
				t.Fatalf("%q: %q is left", s, r)
			}
		}
		b, err := json.Marshal(s)
		require.NoError(t, err)
		escaped := escapeJSON(string(b))
		for _, r := range escaped {
			if !strconv.IsPrint(r) {
				t.Fatalf("%q: %q is left in JSON", s, r)
			}
		}
		var back string
		require.NoError(t, json.Unmarshal([]byte(escaped), &back))
		if utf8.ValidString(s) {
			require.Equal(t, s, back)
		}
	})
}
