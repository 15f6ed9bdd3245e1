package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHelpHasExamples(t *testing.T) {
	for _, name := range []string{"serve", "ship", "query", "tail", "stats", "verify"} {
		exit, out, errs := runHere(t, "", name, "-h")
		require.Zero(t, exit, name)
		require.Empty(t, errs)
		require.Contains(t, out, "usage: logd "+name)
		require.Contains(t, out, "examples:\n  logd "+name)
		require.Contains(t, out, "exit codes:")
		require.Equal(t, name != "serve" && name != "verify", strings.Contains(out, "  -addr address"))
	}
	exit, out, errs := runHere(t, "", "serve", "-data", "x", "-print-config")
	require.Zero(t, exit, errs)
	require.True(t, strings.HasPrefix(out, "listen "), "the configuration and no help: %s", out)
}

func TestUsageErrors(t *testing.T) {
	for _, args := range [][]string{
		{"ship"}, {"ship", "-zone", "Nowhere/At_All", "x"}, {"ship", "-service", strings.Repeat("x", 200), "x"}, {"query", "-nope"},
		{"query", "-limit", "-1"}, {"query", "-order", "random"}, {"stats", "x"}, {"tail", "-cursor", "x"}, {"stats", "-addr", "ftp://x"},
		{"stats", "-addr", "tcp://127.0.0.1:1", "-ca", "x"}, {"query", "-addr", "tls://x"}, {"query", "-addr", "tls://x:1", "-ca", "/nowhere"},
		{"tail", "-addr", "http://x"}, {"query", "-addr", "tcp://"}, {"serve"}, {"serve", "-bogus"}, {"verify"}, {"verify", "-data", "x", "y"},
		{"query", "a", "-limit", "1"}, {"tail", "a", "--cursor=1"}, {"ship", "x", "-follow"}, {"query", "-level:info"},
	} {
		exit, out, errs := runHere(t, "", args...)
		require.Equal(t, exitUsage, exit, args)
		require.Empty(t, out)
		require.NotEmpty(t, errs)
		require.LessOrEqual(t, strings.Count(errs, "\n"), 3, "the help would push the error off the screen: %s", errs)
		require.NotContains(t, errs, "logd: logd:")
	}
}

// What stands behind the first argument is an argument, unless it looks like a flag: it would be looked for in vain.
func TestFlagsBehindArguments(t *testing.T) {
	c := serving(t, t.TempDir())
	_, _, errs := runHere(t, "", "query", "-addr", c.address, "a", "-limit", "1")
	require.Contains(t, errs, "-limit stands behind an argument")
	_, _, errs = runHere(t, "", "query", "-level:info")
	require.Contains(t, errs, "goes behind --")
	for _, args := range [][]string{{"--", "-level:info"}, {"--", "-limit"}, {"a", "-unknown"}, {"a -limit"}} {
		exit, _, errs := runHere(t, "", append([]string{"query", "-addr", c.address}, args...)...)
		require.Zero(t, exit, "%v: %s", args, errs)
	}
}
