package query_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/serialkit/serialkit/examples/logd/block"
	"github.com/serialkit/serialkit/examples/logd/block/blocktest"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/query"
)

// drawFilter draws conditions that are not empty for all records, and the filter of them.
func drawFilter(t *rapid.T) ([]condition, *query.Filter) {
	conditions := rapid.SliceOfN(drawCondition, 0, 4).Draw(t, "conditions")
	text := write(t, conditions)
	f, err := query.Parse(text, now)
	var field *logwire.FieldError
	if errors.As(err, &field) && (strings.Contains(field.Detail, "no level is left") || strings.Contains(field.Detail, "no time is left")) {
		t.Skip("no record passes")
	}
	require.NoError(t, err, text)
	return conditions, f
}

func view(t require.TestingT, r *logwire.Record) (encoded []byte, v logwire.View) {
	encoded = logwire.AppendRecord(nil, r)
	require.NoError(t, logwire.ParseRecord(encoded, &v))
	return encoded, v
}

// TestMatchesOracle: a record matches if, and only if, it meets all conditions, each decided plainly.
func TestMatchesOracle(t *testing.T) {
	var matched, refused int
	rapid.Check(t, func(t *rapid.T) {
		conditions, f := drawFilter(t)
		for range 20 {
			r := drawRecord.Draw(t, "record")
			_, v := view(t, &r)
			want := metBy(conditions, r)
			require.Equal(t, want, f.Match(&v), "%s of %q", f, r)
			if want {
				matched++
			} else {
				refused++
			}
		}
	})
	require.Greater(t, matched, 50)
	require.Greater(t, refused, 50)
}

// TestNothingIsSkippedWrongly: a block that the skip index rules out has no record that meets the conditions.
func TestNothingIsSkippedWrongly(t *testing.T) {
	builder := block.NewBuilder()
	var skipped [4]int
	var bloomed, matched int
	rapid.Check(t, func(t *rapid.T) {
		conditions, f := drawFilter(t)
		builder.Reset()
		any := false
		for _, r := range rapid.SliceOfN(drawRecord, 1, 4).Draw(t, "records") {
			encoded, v := view(t, &r)
			require.True(t, builder.Add(encoded, &v))
			any = any || metBy(conditions, r)
		}
		summary := builder.Summary(1)
		out, bloomLen, _ := builder.Finish(nil)
		skip, ruledOut := f.Rules(&summary), f.RuledOut(out[:bloomLen])
		unknown := summary
		unknown.Services = nil
		if any {
			require.Equal(t, query.SkipNone, skip, "%s", f)
			require.Equal(t, query.SkipNone, f.Rules(&unknown), "%s", f)
			require.False(t, ruledOut, "%s", f)
			matched++
		}
		require.True(t, !ruledOut || f.NeedsBloom(&unknown), "%s", f)
		require.True(t, !ruledOut || skip != query.SkipNone || f.NeedsBloom(&summary), "%s", f)
		skipped[skip]++
		if ruledOut {
			bloomed++
		}
	})
	for skip, n := range skipped {
		require.Positive(t, n, "%s of %v", query.Skip(skip), skipped)
	}
	require.Greater(t, bloomed, 10)
	require.Greater(t, matched, 5)
}

// TestCanonicalIsTheSame: the canonical form of a filter is one of the same filter, and of itself.
func TestCanonicalIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, f := drawFilter(t)
		again, err := query.Parse(f.String(), now.Add(time.Hour))
		require.NoError(t, err, "%s", f)
		require.Equal(t, f, again)
		require.Equal(t, f.String(), again.String())
	})
}

// TestOwnPartsAreFound: whatever is taken from a record finds it, and its block is not ruled out; what is in no record
// rules nearly every block out.
func TestOwnPartsAreFound(t *testing.T) {
	source, builder := blocktest.NewSource(9), block.NewBuilder()
	records := make([]logwire.Record, 200)
	for i := range records {
		records[i] = source.Next()
		encoded, v := view(t, &records[i])
		require.True(t, builder.Add(encoded, &v))
	}
	summary := builder.Summary(1)
	out, bloomLen, _ := builder.Finish(nil)
	bloom := block.Bloom(out[:bloomLen])
	missed, strangers := 0, blocktest.NewSource(10)
	for i := range records {
		for _, text := range parts(&records[i]) {
			f, err := query.Parse(text, now)
			require.NoError(t, err, text)
			_, v := view(t, &records[i])
			require.True(t, f.Match(&v), text)
			require.Equal(t, query.SkipNone, f.Rules(&summary), text)
			require.False(t, f.RuledOut(bloom), text)
		}
		stranger := strangers.Next()
		f, err := query.Parse("trace="+stranger.Fields[0].Value, now)
		require.NoError(t, err)
		if !f.RuledOut(bloom) {
			missed++
		}
	}
	require.Less(t, missed, len(records)/20)
}

// parts returns queries that a record meets.
func parts(r *logwire.Record) (queries []string) {
	words := naiveWords(r.Message)
	n := len(r.Message)
	queries = append(queries, "service:"+r.Service, "host:"+r.Host, "host:"+r.Host[:4]+"*", "level:"+r.Level.String(),
		`"`+r.Message+`"`, `"`+strings.ToUpper(words[1]+" "+words[2])+`"`, words[0], words[len(words)-1],
		`message~"`+r.Message[n/4:n/2]+`"`, `message~"`+r.Message+`"`)
	for _, f := range r.Fields {
		queries = append(queries, f.Key+"="+f.Value, f.Key+"!=x", f.Key+"~"+f.Value[1:], strings.ToUpper(f.Value))
		if f.Kind == logwire.Number {
			queries = append(queries, f.Key+">="+f.Value+" "+f.Key+"<="+f.Value)
		}
	}
	return queries
}

// TestMatchAllocatesNothing holds for each of the queries of the benchmark.
func TestMatchAllocatesNothing(t *testing.T) {
	records := blocktest.NewSource(1).Batch(20)
	for _, q := range benchmarkQueries {
		f, err := query.Parse(q.text, now)
		require.NoError(t, err)
		require.Zero(t, testing.AllocsPerRun(10, func() { countMatches(f, records) }), q.name)
	}
}

// TestPhrases are the cases that a search for one byte of a word could miss, or find too much in.
func TestPhrases(t *testing.T) {
	for _, test := range []struct {
		text, phrase string
		want         bool
	}{
		{"RESETS RESET", "reset", true},
		{"resets RESETS reset", "reset", true},
		{"RESETS resets RESET", "reset", true},
		{"RESETS resets", "reset", false},
		{"preset", "reset", false},
		{"жреset resetж", "reset", false},
		{"reset", "reset", true},
		{"rese", "reset", false},
		{"a a b", `"a b"`, true},
		{"a-b", `"a  b"`, true},
		{"a b_", `"a b"`, false},
		{"a c b", `"a b"`, false},
		{"a", `"a b"`, false},
		{"ЖУК", "жук", true},
		{"Рак рак", "рак", true},
		{"жуки", "жук", false},
		{"x日本", "日本", false},
		{"「日本」", "日本", true},
		{"ϴες", "θες", true},
		{"Ǆ ǅ ǆ", `"ǆ ǆ ǆ"`, true},
	} {
		f, err := query.Parse(test.phrase, now)
		require.NoError(t, err)
		_, v := view(t, &logwire.Record{Level: logwire.Info, Service: "s", Message: test.text})
		require.Equal(t, test.want, f.Match(&v), "%s in %q", test.phrase, test.text)
	}
}

// TestManyTerms: each of as many terms as there may be counts.
func TestManyTerms(t *testing.T) {
	r := logwire.Record{Level: logwire.Info, Service: "s"}
	for _, format := range []string{"k%d=v ", "k%d!=w ", "-k%d=w ", "w%d "} {
		r.Fields = nil
		var text strings.Builder
		for i := range query.MaxTerms {
			fmt.Fprintf(&text, format, i)
			r.Fields = append(r.Fields, logwire.Field{Key: fmt.Sprint("k", i), Value: "v"})
		}
		if format[0] == 'w' {
			r.Message, r.Fields = text.String(), nil
		}
		f, err := query.Parse(text.String(), now)
		require.NoError(t, err)
		_, v := view(t, &r)
		require.True(t, f.Match(&v), format)
		for i := range r.Fields {
			r.Fields[i].Value = "w"
			_, v = view(t, &r)
			require.False(t, f.Match(&v), format)
			r.Fields[i].Value = "v"
		}
	}
}

// TestHugeExponents: numbers that no machine has are compared all the same.
func TestHugeExponents(t *testing.T) {
	for _, test := range []struct {
		value, term string
		want        bool
	}{
		{"1e999999999999999999999", "k>1e400", true},
		{"-1e999999999999999999999", "k<-1e400", true},
		{"1e-999999999999999999999", "k>0", true},
		{"1e-999999999999999999999", "k<1e-400", true},
		{"0e999999999999999999999", "k>=0", true},
		{"1e18446744073709551616", "k>1e400", true},
		{"1e400", "k>1e399", true},
		{"1e400", "k>=10e399", true},
		{"1e400", "k>10e399", false},
	} {
		f, err := query.Parse(test.term, now)
		require.NoError(t, err)
		_, v := view(t, &logwire.Record{Level: logwire.Info, Service: "s", Fields: []logwire.Field{{Key: "k", Value: test.value}}})
		require.Equal(t, test.want, f.Match(&v), "%s of %s", test.term, test.value)
	}
}
