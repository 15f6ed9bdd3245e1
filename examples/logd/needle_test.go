package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

var needleRecords = flag.Int("needle.records", 100_000, "among how many records the needles are looked for")

// Queries for what occurs once, or hardly ever, find it, among as many records as there are. Each is asked twice, since the
// first one reads from the disk what the second has in memory. With -needle.records=10000000 it is a measurement; it asserts
// what is found, and logs the plan.
func TestNeedles(t *testing.T) {
	dir := t.TempDir()
	c := serving(t, dir, "-limit.query-time", "5m")
	batches := loadBatches(64)
	needles := map[string]uint64{} // ids by query
	var mu sync.Mutex
	var all sync.WaitGroup
	count := *needleRecords / loadRecords
	for n := range *loadProducers {
		p := newProducer(c.dial(), uint16(n))
		all.Go(func() {
			for i := n; i < count; i += *loadProducers {
				records, texts := batches[i%len(batches)], []string(nil)
				if i%max(1, count/10) == count/20 {
					records, texts = withNeedle(records, i)
				}
				answer, err := p.sendPatiently(context.Background(), records, loadRecords)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, text := range texts {
					needles[text] = answer.FirstID
				}
				mu.Unlock()
			}
		})
	}
	begin := time.Now()
	all.Wait()
	stats := c.stats()
	require.EqualValues(t, count*loadRecords, stats.Records)
	t.Logf("%d records in %v; %d of them in %d blocks, %d MiB of %d", stats.Records, time.Since(begin).Round(time.Millisecond),
		stats.Records-stats.Unsealed, stats.Blocks, stats.BlockBytes>>20, stats.RawBytes>>20)
	require.NotEmpty(t, needles)
	seen := 0
	for text, id := range needles {
		if seen++; seen > 6 {
			break
		}
		for range 2 {
			look(t, c, text, id)
		}
	}
	look(t, c, "service:rarely", 0)
	look(t, c, "level>=fatal", 0)
	look(t, c, `"words that nobody has ever logged"`, 0)
	require.Equal(t, 0, c.stop())
}

// withNeedle returns the records with another first one, and the queries that find it.
func withNeedle(records []byte, n int) (with []byte, texts []string) {
	r := logwire.Record{
		Time: time.Now().UnixNano(), Level: logwire.Fatal, Service: "rarely", Host: "web-01", Message: fmt.Sprintf("lost needle%d in the hay", n),
		Fields: []logwire.Field{{Key: "order", Value: fmt.Sprintf("o%d", n)}},
	}
	first := logwire.RecordPrefix + int(binary.BigEndian.Uint32(records))
	with = append(encoded(r), records[first:]...)
	return with, []string{fmt.Sprintf("needle%d", n), fmt.Sprintf("order=o%d", n)}
}

// look runs a query, which finds the id, or several if that is 0, and logs its plan.
func look(t *testing.T, c *collector, text string, id uint64) {
	begin := time.Now()
	ids, end := c.find(t.Context(), logwire.QueryRequest{Text: text})
	took := time.Since(begin)
	if id != 0 {
		require.Equal(t, []uint64{id}, ids, text)
	}
	require.Equal(t, "end", end.Reason)
	p := end.Plan
	t.Logf("%-40s %8v: %d found; %d blocks, skipped by level %d, service %d, words %d, read %d (%d KiB); %d unsealed and %d in all looked at",
		text, took.Round(10*time.Microsecond), p.Matched, p.Blocks, p.SkippedLevel, p.SkippedService, p.SkippedTokens, p.Read, p.ReadBytes>>10, p.Unsealed, p.Scanned)
}
