package logwire

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// numbers are texts that are numbers of JSON, and texts that nearly are.
var numbers = []string{
	"0", "-0", "7", "10", "-12.5", "0.0", "1e9", "1E+9", "1.5e-07", "0e0",
	"", "-", "+1", "01", "-01", "00", ".5", "1.", "1.e3", "1e", "1e+", "1e1.5", "e5", "--1", "1 ", " 1", "1\n", "0x1", "1_000", "NaN", "١", "1,5", "1e5x",
}

func FuzzNumber(f *testing.F) {
	for _, text := range numbers {
		f.Add(text)
	}
	f.Fuzz(checkNumber)
}

// TestNumbers: what is a number is so for encoding/json, too, to which white space around it is nothing.
func TestNumbers(t *testing.T) {
	const alphabet = "-+.eE019 "
	for _, text := range numbers {
		checkNumber(t, text)
	}
	for n := range len(alphabet) * len(alphabet) * len(alphabet) * len(alphabet) * len(alphabet) {
		var text []byte
		for ; n > 0; n /= len(alphabet) {
			text = append(text, alphabet[n%len(alphabet)])
		}
		checkNumber(t, string(text))
	}
}

func checkNumber(t *testing.T, text string) {
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	want := text != "" && (text[0] == '-' || digit(text[0])) && digit(text[len(text)-1]) && json.Valid([]byte(text))
	if want != validNumber([]byte(text)) {
		require.Equal(t, want, !want, "%q", text)
	}
}

// TestUTF8AtEachPlace: a byte that is not UTF-8 is found wherever it stands, in each text, beside texts of ASCII.
func TestUTF8AtEachPlace(t *testing.T) {
	r := Record{Level: Info, Service: "ss", Host: "hhh", Message: "a message of some length",
		Fields: []Field{{Key: "key", Value: "value"}, {Key: "b", Value: ""}, {Key: "k", Value: "w"}}}
	good := AppendRecord(nil, &r)
	var v View
	require.NoError(t, ParseRecord(good, &v))
	texts := 0
	for i := recordHead; i < len(good); i++ {
		bad := append([]byte(nil), good...)
		bad[i] = 0xC3
		err := ParseRecord(bad, &v)
		require.Error(t, err, "at %d", i)
		if e, ok := err.(*FieldError); ok && e.Kind == ErrUTF8 {
			texts++
		}
	}
	require.Equal(t, len("ss")+len("hhh")+len(r.Message)+len("keyvaluebkw"), texts)
}
