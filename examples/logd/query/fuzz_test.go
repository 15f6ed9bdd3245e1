package query_test

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/block"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/query"
)

// FuzzParse: a query is refused with a typed error that fits into an answer, or has a canonical form of the same filter.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`service:api level>=warn "connection reset" user=42 since:1h`, `-host:"a b"* until:2026-01-01 message~"\x00é"`,
		`"odd key"!=v took<=-1.5e+9 -path~/x level!=info`, `"`, `a"b`, `since:1h30m`, `(a OR b)`, "\u00a0ж\u2028",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := query.Parse(text, now)
		if err != nil {
			require.ErrorIs(t, err, logwire.ErrQuery)
			require.Less(t, len(err.Error()), 1000)
			answer, ok := logwire.AppendError(nil, err)
			require.True(t, ok)
			require.Equal(t, err, logwire.ParseError(answer))
			return
		}
		canonical := filter.String()
		if len(canonical) > logwire.MaxQuery {
			return // Times and quotes may be longer than what was written.
		}
		again, err := query.Parse(canonical, now.Add(time.Hour))
		require.NoError(t, err, "%q of %q", canonical, text)
		require.Equal(t, filter, again, "%q of %q", canonical, text)
	})
}

// FuzzSkip: whatever the query and the record are, a block with a record that matches is not ruled out.
func FuzzSkip(f *testing.F) {
	f.Add(`"connection reset" user=42`, "Connection: RESET", "user", "42")
	f.Add(`message~"a reset b" -x`, "a reset b", "user", "")
	f.Add(`k~"ж ж ж" host:h service:s level:info`, "", "k", "ж ж ж")
	f.Add("日本", "、日本、", "k", "v")
	f.Fuzz(func(t *testing.T, text, message, key, value string) {
		filter, err := query.Parse(text, now)
		r := logwire.Record{
			Time: now.UnixNano(), Level: logwire.Info, Service: "s", Host: "h", Message: message,
			Fields: []logwire.Field{{Key: key, Value: value}},
		}
		if err != nil || r.Check() != nil {
			return
		}
		encoded, v := view(t, &r)
		if !filter.Match(&v) {
			return
		}
		builder := block.NewBuilder()
		require.True(t, builder.Add(encoded, &v))
		summary := builder.Summary(1)
		require.Equal(t, query.SkipNone, filter.Rules(&summary))
		out, bloomLen, _ := builder.Finish(nil)
		require.False(t, filter.RuledOut(out[:bloomLen]))
	})
}

// FuzzNumber: numbers are compared as fractions are, without rounding.
func FuzzNumber(f *testing.F) {
	f.Add("9007199254740993", "9007199254740992")
	f.Add("-1.50e3", "-1500")
	f.Add("0.00", "-0e5")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, okX := naiveNumber(a)
		y, okY := naiveNumber(b)
		if !okY || len(a) > 40 || len(b) > 40 || hugeExponent(a) || hugeExponent(b) {
			return
		}
		for _, op := range []string{">", ">=", "<", "<="} {
			filter, err := query.Parse("k"+op+b, now)
			require.NoError(t, err)
			r := logwire.Record{Level: logwire.Info, Service: "s", Fields: []logwire.Field{{Key: "k", Value: a}}}
			if r.Check() != nil {
				return
			}
			_, v := view(t, &r)
			require.Equal(t, okX && ordered(op, compare(x, y)), filter.Match(&v), "%s %s %s", a, op, b)
		}
	})
}

func compare(x, y *big.Rat) int {
	if x == nil {
		return 0
	}
	return x.Cmp(y)
}

// hugeExponent reports whether a Rat of s would be too large to try.
func hugeExponent(s string) bool {
	i := strings.IndexAny(s, "eE")
	return i >= 0 && len(s)-i > 5
}
