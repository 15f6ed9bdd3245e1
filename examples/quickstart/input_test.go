package main

import (
	"io/fs"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestOwnSourcesOutsideOfAModule(t *testing.T) {
	files, whose, err := findFiles(filepath.VolumeName(t.TempDir())+string(filepath.Separator), nil)
	require.NoError(t, err)
	require.Equal(t, "this program's own sources", whose)
	var names []string
	for _, f := range files {
		names = append(names, f.name)
		require.NotZero(t, f.size, f.name)
	}
	require.Subset(t, names, []string{"main.go", "server.go", "client.go"})
}

func TestOwnSourcesInAnEmptyModule(t *testing.T) {
	folder(t, map[string]string{"go.mod": "module empty\n"})
	_, whose, err := findFiles(".", nil)
	require.NoError(t, err)
	require.Equal(t, "this program's own sources", whose)
}

func TestLines(t *testing.T) {
	fsys := fstest.MapFS{
		"a": {Data: []byte("1\n\n3")},
		"b": {},
		"c": {Data: []byte("4\n")},
	}
	files := []file{{fsys: fsys, name: "a"}, {fsys: fsys, name: "b"}, {fsys: fsys, name: "c"}}
	want := []string{"1", "", "3", "4"}
	for wanted := 1; wanted <= len(want); wanted++ {
		var lines []string
		for line, err := range linesOf(files) {
			require.NoError(t, err)
			lines = append(lines, string(line))
			if len(lines) == wanted {
				break
			}
		}
		require.Equal(t, want[:wanted], lines)
	}
}

func TestLinesOfAFileThatIsGone(t *testing.T) {
	for _, err := range linesOf([]file{{fsys: fstest.MapFS{}, name: "gone"}}) {
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
}

func TestWordsAsWCCountsThem(t *testing.T) {
	for text, want := range map[string]uint64{
		"": 0, " ": 0, "\n": 0, "a": 1, " a ": 1, "a b": 2, "a\tb\nc\vd\fe\rf g": 7, "\x00 \x1f \x7f": 3, "ä ö": 2,
	} {
		for cut := range len(text) + 1 {
			var w wordCounter
			w.Write([]byte(text[:cut]))
			w.Write([]byte(text[cut:]))
			require.Equal(t, want, w.n, "%q cut at %d", text, cut)
		}
	}
}

func TestNumbersAreGrouped(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 123456: "123,456", 1234567: "1,234,567"} {
		require.Equal(t, want, grouped(n))
	}
}
