package lines_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/lines"
)

// growing gives its parts one by one, each but the last followed by an end of file.
type growing struct{ parts []string }

func (g *growing) Read(b []byte) (int, error) {
	if len(g.parts) == 0 {
		return 0, io.EOF
	}
	if g.parts[0] == "" {
		g.parts = g.parts[1:]
		return 0, io.EOF
	}
	n := copy(b, g.parts[0])
	g.parts[0] = g.parts[0][n:]
	return n, nil
}

// readAll returns the lines and, in the end, the rest.
func readAll(t *testing.T, r *lines.Reader, g *growing) (all []string) {
	for {
		l, err := r.Next()
		if err == nil {
			all = append(all, fmt.Sprintf("%s %d %d", l.Text, l.Size, l.Missing))
			continue
		}
		require.ErrorIs(t, err, io.EOF)
		if len(g.parts) > 0 {
			continue
		}
		if l, ok := r.Rest(); ok {
			all = append(all, fmt.Sprintf("rest %s %d %d", l.Text, l.Size, l.Missing))
		}
		_, ok := r.Rest()
		require.False(t, ok)
		return all
	}
}

func TestReaderCutsTheSameLinesHoweverTheStreamIsCut(t *testing.T) {
	const stream = "ab\n\ncd\r\n\r\nabcde\nabcdef\nabcdef\r\nabcde\r\nabcdefghij\nlast"
	want := []string{
		"ab 3 0", " 1 0", "cd 4 0", " 2 0", "abcde 6 0", "abcde 7 2", "abcde 8 3", "abcde 7 0", "abcde 11 6", "rest last 4 0",
	}
	for i := range stream {
		for j := i; j < len(stream); j++ {
			g := &growing{parts: []string{stream[:i], stream[i:j], stream[j:]}}
			require.Equal(t, want, readAll(t, lines.NewReader(g, 5), g), "cut at %d and %d", i, j)
		}
	}
}

func TestReaderKeepsAtMostTheLimitOfALine(t *testing.T) {
	const size = 50 << 20
	r := lines.NewReader(io.MultiReader(io.LimitReader(endlessX{}, size), strings.NewReader("\nnext\n")), 0)
	l, err := r.Next()
	require.NoError(t, err)
	require.Len(t, l.Text, lines.DefaultMaxLine)
	require.Equal(t, int64(size+1), l.Size)
	require.Equal(t, int64(size+1-lines.DefaultMaxLine), l.Missing)
	require.LessOrEqual(t, cap(l.Text), 4*lines.DefaultMaxLine)
	l, err = r.Next()
	require.NoError(t, err)
	require.Equal(t, "next", string(l.Text))
}

type endlessX struct{}

func (endlessX) Read(b []byte) (int, error) {
	copy(b, bytes.Repeat([]byte("x"), len(b)))
	return len(b), nil
}
