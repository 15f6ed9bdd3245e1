package block_test

import (
	"testing"

	"github.com/serialkit/serialkit/examples/logd/block"
	"github.com/serialkit/serialkit/examples/logd/block/blocktest"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// BenchmarkSeal makes whole blocks of 1,000 records of about 200 bytes.
func BenchmarkSeal(b *testing.B) {
	const batches = 16
	var raw [batches][]byte
	source := blocktest.NewSource(1)
	for i := range raw {
		raw[i] = source.Batch(block.MaxRecords)
	}
	builder, out := block.NewBuilder(), []byte(nil)
	var rawBytes, bloom, data int
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		builder.Reset()
		fill(builder, raw[i%batches])
		var bloomLen, dataLen int
		out, bloomLen, dataLen = builder.Finish(out[:0])
		rawBytes, bloom, data = rawBytes+builder.RawSize(), bloom+bloomLen, data+dataLen
	}
	b.SetBytes(int64(rawBytes / b.N))
	b.ReportMetric(float64(b.N)*block.MaxRecords/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(rawBytes)/float64(data), "ratio")
	b.ReportMetric(float64(bloom)/float64(b.N), "bloom-bytes")
	b.ReportMetric(float64(rawBytes)/float64(b.N)/block.MaxRecords, "bytes/record")
}

// BenchmarkDecode takes whole blocks apart again.
func BenchmarkDecode(b *testing.B) {
	builder := block.NewBuilder()
	fill(builder, blocktest.NewSource(1).Batch(block.MaxRecords))
	out, bloomLen, _ := builder.Finish(nil)
	var raw []byte
	b.ReportAllocs()
	b.SetBytes(int64(builder.RawSize()))
	for b.Loop() {
		var err error
		if raw, err = block.Decode(out[bloomLen:], builder.RawSize(), raw[:0]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkChecksum is the CRC-32C of a block.
func BenchmarkChecksum(b *testing.B) {
	data := make([]byte, 64<<10)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		block.Checksum(data)
	}
}

// fill adds records until the block is full and returns the rest.
func fill(builder *block.Builder, records []byte) []byte {
	var v logwire.View
	for {
		record, rest, ok := logwire.NextRecord(records)
		if !ok || !logwire.TrustRecord(record, &v) || !builder.Add(record, &v) {
			return records
		}
		records = rest
	}
}
