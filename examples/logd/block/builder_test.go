package block_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/serialkit/serialkit/examples/logd/block"
	"github.com/serialkit/serialkit/examples/logd/block/blocktest"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/token"
)

var text = rapid.StringMatching(`[a-cA-C_0-1äÄЖж \n\x00.]{0,12}`)

// anyRecord draws records, of which few things are the same.
var anyRecord = rapid.Custom(func(t *rapid.T) logwire.Record {
	r := logwire.Record{
		Time:    rapid.Int64().Draw(t, "time"),
		Level:   logwire.Level(rapid.IntRange(int(logwire.Trace), int(logwire.Fatal)).Draw(t, "level")),
		Service: fmt.Sprint("s", rapid.IntRange(0, 40).Draw(t, "service")),
		Host:    text.Draw(t, "host"), Message: text.Draw(t, "message"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "fields") {
		r.Fields = append(r.Fields, logwire.Field{Key: "k" + text.Draw(t, "key"), Value: text.Draw(t, "value")})
	}
	return r
})

// add adds a record and returns it encoded.
func add(t require.TestingT, b *block.Builder, r *logwire.Record) []byte {
	encoded := logwire.AppendRecord(nil, r)
	var v logwire.View
	require.NoError(t, logwire.ParseRecord(encoded, &v))
	require.True(t, b.Add(encoded, &v))
	clear(encoded) // It keeps neither.
	return logwire.AppendBatchRecord(nil, r)
}

// TestBlocks: whatever the records are, the summary and the filter tell the truth of them, and they come back. The Builder
// is the same for all blocks.
func TestBlocks(t *testing.T) {
	builder := block.NewBuilder()
	rapid.Check(t, func(t *rapid.T) {
		builder.Reset()
		records := rapid.SliceOfN(anyRecord, 1, 60).Draw(t, "records")
		var raw []byte
		for i := range records {
			raw = append(raw, add(t, builder, &records[i])...)
			require.Equal(t, i+1, builder.Len())
			require.Equal(t, len(raw), builder.RawSize())
		}
		summary := builder.Summary(99)
		require.Equal(t, naiveSummary(records, len(raw)), summary)
		parsed, err := block.ParseSummary(summary.AppendTo(nil))
		require.NoError(t, err)
		require.Equal(t, summary, parsed)

		out, bloomLen, dataLen := builder.Finish([]byte("before"))
		require.Equal(t, "before", string(out[:6]))
		require.Len(t, out, 6+bloomLen+dataLen)
		checkBloom(t, out[6:6+bloomLen], records)
		decoded, err := block.Decode(out[6+bloomLen:], len(raw), nil)
		require.NoError(t, err)
		require.Equal(t, raw, decoded)
	})
}

func naiveSummary(records []logwire.Record, rawLen int) block.Summary {
	s := block.Summary{FirstID: 99, Count: len(records), RawLen: rawLen, MinTime: records[0].Time, MaxTime: records[0].Time}
	services := map[string]bool{}
	for _, r := range records {
		s.MinTime, s.MaxTime = min(s.MinTime, r.Time), max(s.MaxTime, r.Time)
		s.Levels |= 1 << r.Level
		services[r.Service] = true
	}
	if len(services) <= block.MaxServices {
		s.Services = slices.Sorted(maps.Keys(services))
	}
	return s
}

func checkBloom(t *rapid.T, bloom block.Bloom, records []logwire.Record) {
	distinct := map[uint64]bool{}
	has := func(hash uint64) bool { distinct[hash] = true; return bloom.Has(hash) }
	words := func(text string) {
		token.Each([]byte(text), func(hash uint64) bool {
			require.True(t, has(hash), "a word of %q", text)
			return true
		})
	}
	for _, r := range records {
		require.True(t, has(token.Service([]byte(r.Service))), "the service %q", r.Service)
		require.True(t, has(token.Host([]byte(r.Host))), "the host %q", r.Host)
		words(r.Message)
		for _, f := range r.Fields {
			require.True(t, has(token.Key([]byte(f.Key))), "the key %q", f.Key)
			require.True(t, has(token.Field([]byte(f.Key), []byte(f.Value))), "the field %q=%q", f.Key, f.Value)
			words(f.Value)
		}
	}
	require.Len(t, bloom, 8*((10*len(distinct)+63)/64))
}

// TestManyServices: from the one on that is too many they are unknown, until the next block.
func TestManyServices(t *testing.T) {
	builder := block.NewBuilder()
	for range 2 {
		builder.Reset()
		for i := range 5 * block.MaxServices {
			add(t, builder, &logwire.Record{Level: logwire.Info, Service: fmt.Sprint("s", i)})
			summary := builder.Summary(1)
			require.Equal(t, i >= block.MaxServices, summary.Services == nil, "%d services", i+1)
		}
	}
}

// TestNamesAreBounded: a Builder does not remember all services that there ever were.
func TestNamesAreBounded(t *testing.T) {
	builder := block.NewBuilder()
	for i := range 1000 {
		if i%10 == 0 {
			builder.Reset()
		}
		add(t, builder, &logwire.Record{Level: logwire.Info, Service: fmt.Sprint("s", i)})
		require.LessOrEqual(t, block.Names(builder), 4*block.MaxServices+10)
	}
}

// TestFull: a block takes as many records as it may, and bytes, and not one more.
func TestFull(t *testing.T) {
	builder, v := block.NewBuilder(), logwire.View{}
	small := logwire.AppendRecord(nil, &logwire.Record{Level: logwire.Info, Service: "s"})
	require.NoError(t, logwire.ParseRecord(small, &v))
	for range block.MaxRecords {
		require.True(t, builder.Add(small, &v))
	}
	require.False(t, builder.Add(small, &v))
	require.Equal(t, block.MaxRecords, builder.Len())

	builder.Reset()
	large := logwire.Record{Level: logwire.Info, Service: "s", Message: strings.Repeat("x", logwire.MaxMessage)}
	for builder.RawSize()+4+large.Size() <= block.MaxRaw {
		add(t, builder, &large)
	}
	rest := block.MaxRaw - builder.RawSize()
	large.Message = large.Message[:rest-4-(large.Size()-len(large.Message))+1]
	encoded := logwire.AppendRecord(nil, &large)
	require.NoError(t, logwire.ParseRecord(encoded, &v))
	require.False(t, builder.Add(encoded, &v))
	require.Equal(t, block.MaxRaw-rest, builder.RawSize())
	large.Message = large.Message[1:]
	add(t, builder, &large)
	require.Equal(t, block.MaxRaw, builder.RawSize())
	require.False(t, builder.Add(small, &v))

	out, bloomLen, _ := builder.Finish(nil)
	decoded, err := block.Decode(out[bloomLen:], block.MaxRaw, nil)
	require.NoError(t, err)
	require.Len(t, decoded, block.MaxRaw)
}

// TestManyWords: a block of different words makes the tables grow, and the next one is as ever.
func TestManyWords(t *testing.T) {
	builder := block.NewBuilder()
	var message strings.Builder
	for i := range 100_000 {
		if message.Len() > 60_000 {
			add(t, builder, &logwire.Record{Level: logwire.Info, Service: "s", Message: message.String()})
			message.Reset()
		}
		fmt.Fprintf(&message, "%x ", i)
	}
	add(t, builder, &logwire.Record{Level: logwire.Info, Service: "s", Message: message.String()})
	out, bloomLen, _ := builder.Finish(nil)
	bloom := block.Bloom(out[:bloomLen])
	require.InDelta(t, 100_000*10/8, bloomLen, 16)
	for i := range 100_000 {
		token.Each(fmt.Appendf(nil, "%x", i), func(hash uint64) bool {
			require.True(t, bloom.Has(hash), "%x", i)
			return true
		})
	}
	first := sealTwice(t, builder)
	require.Equal(t, first, sealTwice(t, block.NewBuilder()))
}

// sealTwice makes the same block twice and requires that it is the same.
func sealTwice(t *testing.T, builder *block.Builder) []byte {
	raw := blocktest.NewSource(3).Batch(100)
	builder.Reset()
	fill(builder, raw)
	first, _, _ := builder.Finish(nil)
	builder.Reset()
	fill(builder, raw)
	again, _, _ := builder.Finish(nil)
	require.True(t, bytes.Equal(first, again))
	return first
}

// TestAllocations: a Builder that is warm takes no memory, nor does Decode.
func TestAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates; make test runs it without")
	}
	raw := blocktest.NewSource(1).Batch(block.MaxRecords)
	builder := block.NewBuilder()
	var out, decoded []byte
	bloomLen := 0
	seal := func() {
		builder.Reset()
		fill(builder, raw)
		summary := builder.Summary(1)
		out, bloomLen, _ = builder.Finish(summary.AppendTo(out[:0])[:0])
	}
	seal()
	require.Zero(t, testing.AllocsPerRun(20, seal))
	require.Zero(t, testing.AllocsPerRun(20, func() {
		var err error
		decoded, err = block.Decode(out[bloomLen:], builder.RawSize(), decoded[:0])
		require.NoError(t, err)
	}))
}
