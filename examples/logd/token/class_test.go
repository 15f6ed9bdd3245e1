package token_test

import (
	"encoding/binary"
	"hash/crc32"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/token"
)

// runes calls f for each code point beyond ASCII.
func runes(f func(r rune)) {
	for r := rune(utf8.RuneSelf); r <= unicode.MaxRune; r++ {
		if utf8.ValidRune(r) {
			f(r)
		}
	}
}

// TestFrozen: what is a word, and its lower case, is on disk. If this fails after Go was updated, its tables have changed a
// code point on which blocks depend: fold must keep what it was.
func TestFrozen(t *testing.T) {
	words, sum := 0, crc32.NewIEEE()
	var entry [5]byte
	runes(func(r rune) {
		entry[4] = 0
		if token.IsWord(r) {
			words++
			entry[4] = 1
		}
		binary.BigEndian.PutUint32(entry[:], uint32(token.FoldRune(r)))
		sum.Write(entry[:])
	})
	require.Equal(t, 1105712, words)
	require.Equal(t, uint32(0x9c80e2aa), sum.Sum32())
}

// TestLetters: the list of separators has no letter or digit, and all spaces and controls.
func TestLetters(t *testing.T) {
	runes(func(r rune) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			require.True(t, token.IsWord(r), "%U %q", r, r)
		case unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError:
			require.False(t, token.IsWord(r), "%U %q", r, r)
		}
	})
}

// TestFold: the lower case of a word has its length, and is its own lower case.
func TestFold(t *testing.T) {
	changed := 0
	runes(func(r rune) {
		f := token.FoldRune(r)
		if f == r {
			return
		}
		changed++
		require.True(t, token.IsWord(r) && token.IsWord(f), "%U", r)
		require.Equal(t, utf8.RuneLen(r), utf8.RuneLen(f), "%U", r)
		require.Equal(t, f, token.FoldRune(f), "%U", r)
		require.Equal(t, unicode.ToLower(r), f, "%U", r)
	})
	require.Greater(t, changed, 500)
}

// TestLeads: each writing of each letter begins with one of the two bytes.
func TestLeads(t *testing.T) {
	two := 0
	for _, within := range [][2]rune{{'0', '9'}, {'A', 'Z'}, {'a', 'z'}, {0xC0, 0x24F}, {0x370, 0x5FF}, {0x1E00, 0x1FFF}, {0xFF10, 0xFF3A}, {0x4E00, 0x4E10}} {
		for r := within[0]; r <= within[1]; r++ {
			text := []byte(string(r))
			first, second, ok := token.Leads(token.Fold(nil, text))
			if !ok {
				continue
			}
			if first != second {
				two++
			}
			require.Contains(t, []byte{first, second}, text[0], "%U", r)
		}
	}
	require.Greater(t, two, 52)
}
