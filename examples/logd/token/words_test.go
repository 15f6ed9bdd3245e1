package token_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/token"
)

// naiveWords splits text by code points and folds them, as the package's comment says it.
func naiveWords(text string) []string {
	words := strings.FieldsFunc(text, func(r rune) bool {
		if r < utf8.RuneSelf {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_')
		}
		return !token.IsWord(r)
	})
	for i := range words {
		words[i] = strings.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' {
				return r + 'a' - 'A'
			}
			if r < utf8.RuneSelf {
				return r
			}
			return token.FoldRune(r)
		}, words[i])
	}
	return words
}

var texts = []string{
	"", " ", "a", "Connection reset by PEER", "foo_bar-baz 10.0.0.1:80", "eightbyt ninebytes sixteenbytesword",
	"seventeenbytewords!", "Жук über STRASSE ŻÓŁĆ ＡＢＣ", "日本語、テキスト", "a\xffb\xc3", "x\x00y", "—dash—", "🔥login🔥", "İstanbul K ẞ",
	"\xe2\x82", "ends with ж", strings.Repeat("long", 100),
}

// TestWords: all ways to go through the words of a text agree with the naive one.
func TestWords(t *testing.T) {
	for _, text := range texts {
		checkWords(t, text)
	}
}

func FuzzWords(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(checkWords)
}

func checkWords(t *testing.T, text string) {
	b := []byte(text)
	var want []uint64
	for _, word := range naiveWords(text) {
		hash, start, end, ok := token.Next([]byte(word), 0)
		require.True(t, ok)
		require.Zero(t, start)
		require.Equal(t, len(word), end, "%q", word)
		want = append(want, hash)
	}
	require.Equal(t, want, token.Append(nil, b), "%q", text)
	var each []uint64
	token.Each(b, func(hash uint64) bool { each = append(each, hash); return true })
	require.Equal(t, want, each)

	folded := token.Fold(nil, b)
	require.Len(t, folded, len(b))
	require.Equal(t, want, token.Append(nil, folded))
	at, words := 0, naiveWords(text)
	for _, word := range words {
		at = token.Start(b, at)
		end := token.End(b, at)
		require.Equal(t, word, string(folded[at:end]))
		require.True(t, token.HasWord(b, at, []byte(word)) && token.IsStart(b, at) && token.IsEnd(b, end), "%q in %q", word, text)
		require.False(t, token.HasWord(b, at, append([]byte(word), 'x')))
		if short := word[:len(word)-1]; short != "" && utf8.ValidString(short) {
			require.False(t, token.HasWord(b, at, []byte(short)), "%q in %q", short, text)
			require.False(t, token.IsStart(b, at+len(short)), "%q in %q", short, text)
		}
		at = end
	}
	require.Equal(t, len(b), token.Start(b, at))
}

// TestWindows: the words are the same wherever they begin and end, and whatever stands around them.
func TestWindows(t *testing.T) {
	for _, before := range []string{" ", "a b ", "ж ", "—", "\xff"} {
		for pad := range 70 {
			for _, length := range []int{1, 7, 8, 9, 16, 17, 62, 63, 64, 65, 66, 130} {
				for _, behind := range []string{"", " ", "-c", "ж", "—d", "\xff"} {
					text := strings.Repeat(before, pad/len(before)) + strings.Repeat("x_Z9", length)[:length] + behind
					checkHashes(t, text)
					checkHashes(t, text+strings.Repeat(" word", pad))
				}
			}
		}
	}
}

// TestBytes: each byte of ASCII is a part of a word, in its case, or is none, at each place.
func TestBytes(t *testing.T) {
	for c := range utf8.RuneSelf {
		for at := range 9 {
			checkHashes(t, strings.Repeat("a", at)+string(rune(c))+"B")
			checkHashes(t, strings.Repeat(" ", at)+string(rune(c))+" eightbyt")
		}
	}
}

// checkHashes compares Append with Next, which looks at bytes one by one, on the words that the naive way has found.
func checkHashes(t *testing.T, text string) {
	var want []uint64
	for _, word := range naiveWords(text) {
		hash, _, _, _ := token.Next([]byte(word), 0)
		want = append(want, hash)
	}
	got := token.Append(nil, []byte(text))
	if !slices.Equal(want, got) {
		require.Equal(t, want, got, "%q", text)
	}
}

// TestEachEnds: Each stops when it is told to.
func TestEachEnds(t *testing.T) {
	n := 0
	token.Each([]byte("a b c"), func(uint64) bool { n++; return n < 2 })
	require.Equal(t, 2, n)
}

// TestGolden: hashes are on disk, and what they are must not change.
func TestGolden(t *testing.T) {
	for text, want := range map[string]uint64{
		"a": 0x27d13416992c37a6, "Reset": 0xa39e3d98ca949f57, "eightbyt": 0xa9a6acfb4afdada7,
		"ninebytes": 0xace025d96d475e97, "Жук": 0x4dde5c9d132e8c7,
	} {
		require.Equal(t, []uint64{want}, token.Append(nil, []byte(text)), "%q: %#x", text, token.Append(nil, []byte(text)))
	}
	user, empty := []byte("user"), []byte(nil)
	require.Equal(t, []uint64{
		0x76ac1a65e473f2bd, 0xe29be67adae15efc, 0xb06ccaa05305f854,
		0x90e4598319c90893, 0x642c92a02da0d418, 0xb2c85d9e081dd010,
	}, []uint64{
		token.Field(user, []byte("42")), token.Field(user, empty), token.Field(user, []byte("12345678")),
		token.Key(user), token.Service(user), token.Host(user),
	})
}

// TestApart: the hashes of the same text for another purpose are others, and where a key ends counts.
func TestApart(t *testing.T) {
	user := []byte("user")
	seen := map[uint64]bool{}
	for _, hash := range []uint64{
		token.Append(nil, user)[0], token.Key(user), token.Service(user), token.Host(user),
		token.Field(user, nil), token.Field(nil, user), token.Field(user[:2], user[2:]),
		token.Field(user, []byte("A")), token.Field(user, []byte("a")), token.Field(user, []byte("a\x00")),
	} {
		require.False(t, seen[hash], "%#x", hash)
		seen[hash] = true
	}
}
