package query_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/block"
	"github.com/serialkit/serialkit/examples/logd/block/blocktest"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/query"
)

// benchmarkQueries are queries that few or no records pass.
var benchmarkQueries = []struct{ name, text string }{
	{"everything", ``},
	{"word", `zebra`},
	{"phrase", `"connection refused"`},
	{"common", `"finished with nothing"`},
	{"beyond-ascii", `жук`},
	{"bytes", `message~"status 999"`},
	{"field", `user=1234567`},
	{"number", `took>1e9`},
	{"mixed", `service:api level>=warn "connection reset" user=42`},
}

// BenchmarkMatch looks at all records of a block, which is decoded already.
func BenchmarkMatch(b *testing.B) {
	records := blocktest.NewSource(1).Batch(block.MaxRecords)
	for _, q := range benchmarkQueries {
		b.Run(q.name, func(b *testing.B) {
			f, err := query.Parse(q.text, now)
			require.NoError(b, err)
			b.ReportAllocs()
			b.SetBytes(int64(len(records)))
			for b.Loop() {
				countMatches(f, records)
			}
		})
	}
}

// BenchmarkRules asks a summary and a filter whether a block can be passed over.
func BenchmarkRules(b *testing.B) {
	builder, v := block.NewBuilder(), logwire.View{}
	for records := blocktest.NewSource(1).Batch(block.MaxRecords); len(records) > 0; {
		var record []byte
		record, records, _ = logwire.NextRecord(records)
		require.NoError(b, logwire.ParseRecord(record, &v))
		builder.Add(record, &v)
	}
	summary := builder.Summary(1)
	out, bloomLen, _ := builder.Finish(nil)
	f, err := query.Parse(`service:api level>=info "connection reset" trace=0123456789abcdef`, now)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if f.Rules(&summary) != query.SkipNone || !f.RuledOut(block.Bloom(out[:bloomLen])) {
			b.Fatal("the wrong answer")
		}
	}
}

func countMatches(f *query.Filter, records []byte) (n int) {
	var v logwire.View
	for {
		record, rest, ok := logwire.NextRecord(records)
		if !ok {
			return n
		}
		if logwire.TrustRecord(record, &v) && f.Match(&v) {
			n++
		}
		records = rest
	}
}
