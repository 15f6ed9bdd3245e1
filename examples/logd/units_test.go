package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSizes(t *testing.T) {
	for text, want := range map[string]size{"0": 0, "4096": 4 << 10, "4KiB": 4 << 10, "512MiB": 512 << 20, "20GiB": 20 << 30, "1TiB": 1 << 40, "1025": 1025} {
		var s size
		require.NoError(t, s.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, s)
		written, err := s.MarshalText()
		require.NoError(t, err)
		var again size
		require.NoError(t, again.UnmarshalText(written))
		require.Equal(t, want, again, "%s was written as %s", text, written)
	}
	for _, text := range []string{"", "MiB", "-1", "1.5GiB", "1GB", "9223372036854775808", "8388608TiB", "1 MiB"} {
		require.ErrorIs(t, new(size).UnmarshalText([]byte(text)), errSize, text)
	}
}

func TestAges(t *testing.T) {
	for text, want := range map[string]time.Duration{"0": 0, "30d": 30 * day, "36h": 36 * time.Hour, "90m": 90 * time.Minute, "1d": day} {
		var a age
		require.NoError(t, a.UnmarshalText([]byte(text)), text)
		require.Equal(t, age(want), a)
		written, err := a.MarshalText()
		require.NoError(t, err)
		var again age
		require.NoError(t, again.UnmarshalText(written))
		require.Equal(t, age(want), again, "%s was written as %s", text, written)
	}
	for _, text := range []string{"", "d", "-1d", "-3h", "1.5d", "200000d", "5"} {
		require.ErrorIs(t, new(age).UnmarshalText([]byte(text)), errAge, text)
	}
}
