package logclient_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

func TestFitLeavesWhatFitsAndCutsOneByteMore(t *testing.T) {
	full := logwire.Record{
		Level: logwire.Info, Service: strings.Repeat("s", logwire.MaxService), Host: strings.Repeat("h", logwire.MaxHost),
		Message: strings.Repeat("m", logwire.MaxMessage),
		Fields:  []logwire.Field{str(strings.Repeat("k", logwire.MaxKey), strings.Repeat("v", logwire.MaxValue))},
	}
	longer := map[string]func(r *logwire.Record) *string{
		"service": func(r *logwire.Record) *string { return &r.Service },
		"host":    func(r *logwire.Record) *string { return &r.Host },
		"message": func(r *logwire.Record) *string { return &r.Message },
		"key":     func(r *logwire.Record) *string { return &r.Fields[0].Key },
		"value":   func(r *logwire.Record) *string { return &r.Fields[0].Value },
	}
	for name, part := range longer {
		r := full
		r.Fields = []logwire.Field{full.Fields[0]}
		require.False(t, logclient.Fit(&r), name)
		require.Equal(t, full, r)
		text := part(&r)
		limit := len(*text)
		*text += "x"
		before := *text
		require.True(t, logclient.Fit(&r), name)
		require.NoError(t, r.Check())
		require.LessOrEqual(t, len(*text), limit)
		kept, mark, found := strings.Cut(*text, "…[+")
		require.True(t, found, name)
		require.Equal(t, strconv.Itoa(len(before)-len(kept))+" bytes]", mark)
		require.True(t, strings.HasPrefix(before, kept))
	}
}

func TestFitCutsBetweenCharacters(t *testing.T) {
	for shift := range 4 {
		r := logwire.Record{Level: logwire.Info, Service: "s", Message: strings.Repeat("x", shift) + strings.Repeat("𝄞", 20000)}
		logclient.Fit(&r)
		require.True(t, utf8.ValidString(r.Message))
		require.NotContains(t, r.Message, "\uFFFD")
	}
}

func TestFitMakesAValueThatIsNotOfItsKindAString(t *testing.T) {
	r := logwire.Record{Level: 99, Fields: []logwire.Field{
		num("a", "1."), num("b", ""), num("c", "-"), boolean("d", "True"), jsonValue("e", "{"), {Key: "f", Kind: 9, Value: "x"}, num("g", "1e5"),
		jsonValue("h", "["+strings.Repeat("1,", logwire.MaxValue/2)+"1]"), {Value: "no key"}, str("i", "a\xff\xfeb"), num("j", "+1"), num("k", "01"),
	}}
	require.True(t, logclient.Fit(&r))
	require.NoError(t, r.Check())
	require.Equal(t, logwire.Info, r.Level)
	require.Equal(t, "unknown", r.Service)
	for _, f := range r.Fields {
		require.Equal(t, f.Key == "g", f.Kind == logwire.Number, f)
		require.Equal(t, f.Key != "g", f.Kind == logwire.String, f)
	}
	require.Equal(t, "_", r.Fields[8].Key)
	require.Equal(t, str("i", "a\uFFFDb"), r.Fields[9])
}

func TestFitCountsWhatItLeavesOut(t *testing.T) {
	fields := func(n, size int) (fields []logwire.Field) {
		for i := range n {
			fields = append(fields, str(strconv.Itoa(i), strings.Repeat("v", size)))
		}
		return fields
	}
	r := logwire.Record{Level: logwire.Info, Service: "s", Fields: fields(logwire.MaxFields, 1)}
	require.False(t, logclient.Fit(&r))

	r.Fields = fields(logwire.MaxFields+1, 1)
	require.True(t, logclient.Fit(&r))
	require.NoError(t, r.Check())
	require.Equal(t, num(logclient.LeftOutKey, "2"), r.Fields[logwire.MaxFields-1])

	r.Fields = fields(10, 20000)
	require.True(t, logclient.Fit(&r))
	require.NoError(t, r.Check())
	require.Len(t, r.Fields, 8)
	require.Contains(t, r.Fields[6].Value, "…[+", "the one for which there was some room is cut")
	require.Equal(t, num(logclient.LeftOutKey, "3"), r.Fields[7])
	require.Greater(t, r.Size(), logwire.MaxRecord-100, "no room is wasted")
}

func TestWhateverFitHasSeenPassesCheck(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	text := func(limit int) string {
		b := make([]byte, rng.IntN(2)*rng.IntN(limit*3/2)+rng.IntN(4))
		alphabet := []string{"a", "é", "𝄞", "\xff", "\x00", "\xe2\x82", "1", "\""}
		one := alphabet[rng.IntN(len(alphabet))]
		for i := 0; i+len(one) <= len(b); i += len(one) {
			if rng.IntN(50) == 0 {
				one = alphabet[rng.IntN(len(alphabet))]
			}
			copy(b[i:], one)
		}
		return string(b)
	}
	changed := 0
	for range 300 {
		r := logwire.Record{Level: logwire.Level(rng.IntN(9)), Service: text(logwire.MaxService), Host: text(logwire.MaxHost), Message: text(logwire.MaxMessage)}
		for range rng.IntN(100) {
			r.Fields = append(r.Fields, logwire.Field{Key: text(logwire.MaxKey), Kind: logwire.Kind(rng.IntN(6)), Value: text(10 << rng.IntN(12))})
		}
		if logclient.Fit(&r) {
			changed++
		}
		require.NoError(t, r.Check())
		require.False(t, logclient.Fit(&r), "once is enough")
	}
	require.NotZero(t, changed)
}
