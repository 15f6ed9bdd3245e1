package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/query"
)

const (
	benchWriters = 4
	benchRecords = 1000 // in a batch
	benchSize    = 200  // of a record, encoded, on average
)

var benchVerbs = []string{"accepted", "refused", "closed", "retried", "forwarded", "completed", "timed out on", "queued"}

// benchRecord makes a record as a web service logs them: words that come again, and numbers that do not.
func benchRecord(rng *rand.Rand, now int64, writer, n int) logwire.Record {
	r := logwire.Record{
		Time: now + int64(n)*1e6, Level: logwire.Level(2 + rng.IntN(4)), Service: fmt.Sprintf("api-%d", writer), Host: fmt.Sprintf("node%02d.example.net", rng.IntN(40)),
		Message: fmt.Sprintf("request %016x %s /v1/accounts/%d/items/%d in %d us", rng.Uint64(), benchVerbs[rng.IntN(len(benchVerbs))], rng.IntN(1e6), rng.IntN(1e4), rng.IntN(1e6)),
		Fields: []logwire.Field{
			{Key: "user", Kind: logwire.Number, Value: fmt.Sprint(rng.IntN(1e6))},
			{Key: "status", Kind: logwire.Number, Value: fmt.Sprint(200 + rng.IntN(5)*100)},
			{Key: "trace", Kind: logwire.String, Value: fmt.Sprintf("%016x", rng.Uint64())},
		},
	}
	return r
}

// benchBatches makes one set of batches for each writer, all of them different.
func benchBatches(writers, batches int) [][][]byte {
	all := make([][][]byte, writers)
	now := time.Now().UnixNano()
	for w := range all {
		rng := rand.New(rand.NewPCG(uint64(w), 7))
		var p logwire.ProducerID
		binary.BigEndian.PutUint64(p[:], uint64(w+1))
		for n := range batches {
			b := logwire.AppendBatchHead(make([]byte, 0, benchRecords*(benchSize+20)), logwire.BatchHead{Producer: p, Epoch: 1, Sequence: uint64(n + 1), Count: benchRecords})
			for i := range benchRecords {
				r := benchRecord(rng, now, w, n*benchRecords+i)
				b = logwire.AppendBatchRecord(b, &r)
			}
			all[w] = append(all[w], b)
		}
	}
	return all
}

// parallel lets each writer go through its batches at the same time, and returns the time and the processor time that it took.
func parallel(b *testing.B, all [][][]byte, write func(w, n int, batch []byte) error, end func()) (wall, cpu time.Duration) {
	var wait sync.WaitGroup
	begin, used := time.Now(), cpuTime()
	for w := range all {
		wait.Go(func() {
			for n, batch := range all[w] {
				if err := write(w, n, batch); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	end()
	return time.Since(begin), cpuTime() - used
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// plainPebble writes each batch as one synced commit, under one key or with a key for each record, and flushes its memory at the end:
// as the store's records are in blocks at the end, Pebble's are in tables.
func plainPebble(b *testing.B, all [][][]byte, perRecord bool) (wall, cpu time.Duration) {
	db, err := pebble.Open(b.TempDir(), &pebble.Options{Logger: quiet{}, FormatMajorVersion: pebble.FormatNewest, MemTableSize: DefaultMemTable})
	require.NoError(b, err)
	wall, cpu = parallel(b, all, func(w, n int, batch []byte) error {
		head, records, err := logwire.ParseBatchHead(batch)
		if err != nil {
			return err
		}
		p := db.NewBatchWithSize(len(batch) + 64)
		key := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(w)), uint32(n))
		if !perRecord {
			err = p.Set(key, records, nil)
		}
		for i := 0; perRecord && i < head.Count && err == nil; i++ {
			var record []byte
			record, records, _ = logwire.NextRecord(records)
			err = p.Set(binary.BigEndian.AppendUint32(key, uint32(i)), record, nil)
		}
		if err != nil {
			return err
		}
		if err := p.Commit(pebble.Sync); err != nil {
			return err
		}
		return p.Close()
	}, func() { require.NoError(b, db.Flush()) })
	require.NoError(b, db.Close())
	return wall, cpu
}

type quiet struct{}

func (quiet) Infof(string, ...any)      {}
func (quiet) Errorf(f string, a ...any) { fmt.Fprintf(os.Stderr, f+"\n", a...) }
func (quiet) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

// throughStore appends the batches, and seals until nothing is left.
func throughStore(b *testing.B, all [][][]byte) (wall, cpu time.Duration, stats logwire.Stats) {
	s, err := Open(b.TempDir(), Options{})
	require.NoError(b, err)
	wall, cpu = parallel(b, all, func(_, _ int, batch []byte) error {
		_, err := s.Append(context.Background(), batch)
		for err != nil && errors.Is(err, ErrBusy) {
			if err = s.Seal(context.Background()); err == nil { // Waits for the sealer, as a client waits before it tries again.
				_, err = s.Append(context.Background(), batch)
			}
		}
		return err
	}, func() { require.NoError(b, s.Seal(context.Background())) })
	stats = s.Stats()
	require.Zero(b, stats.Unsealed)
	require.NoError(b, s.Close())
	return wall, cpu, stats
}

// BenchmarkAppend compares the store with plain Pebble, alternating, with the same batches. An operation is a record. Run it with
// -benchtime 1000000x or more.
func BenchmarkAppend(b *testing.B) {
	batches := max(1, b.N/benchRecords/benchWriters)
	all := benchBatches(benchWriters, batches)
	records := float64(benchWriters * batches * benchRecords)
	b.ReportAllocs()
	b.ResetTimer()
	const rounds = 3
	var plain, keyed, ours, plainCPU, keyedCPU, oursCPU time.Duration
	var stats logwire.Stats
	for range rounds {
		w, c := plainPebble(b, all, false)
		plain, plainCPU = plain+w, plainCPU+c
		w, c, stats = throughStore(b, all)
		ours, oursCPU = ours+w, oursCPU+c
		w, c = plainPebble(b, all, true)
		keyed, keyedCPU = keyed+w, keyedCPU+c
	}
	rate := func(d time.Duration) float64 { return rounds * records / d.Seconds() }
	b.ReportMetric(rate(plain), "plain/s")
	b.ReportMetric(rate(keyed), "keyed/s")
	b.ReportMetric(rate(ours), "store/s")
	b.ReportMetric(float64(plain)/float64(ours), "store:plain")
	b.ReportMetric(float64(keyed)/float64(ours), "store:keyed")
	b.ReportMetric(float64(plainCPU.Nanoseconds())/rounds/records, "plain-cpu-ns/record")
	b.ReportMetric(float64(keyedCPU.Nanoseconds())/rounds/records, "keyed-cpu-ns/record")
	b.ReportMetric(float64(oursCPU.Nanoseconds())/rounds/records, "store-cpu-ns/record")
	b.ReportMetric(float64(stats.RawBytes)/float64(stats.BlockBytes), "raw:sealed")
	b.ReportMetric(float64(stats.RawBytes)/records, "B/record")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkStore is the store's part of BenchmarkAppend alone, for profiles.
func BenchmarkStore(b *testing.B) {
	batches := max(1, b.N/benchRecords/benchWriters)
	all := benchBatches(benchWriters, batches)
	records := float64(benchWriters * batches * benchRecords)
	b.ResetTimer()
	wall, cpu, stats := throughStore(b, all)
	b.ReportMetric(records/wall.Seconds(), "store/s")
	b.ReportMetric(float64(cpu.Nanoseconds())/records, "store-cpu-ns/record")
	b.ReportMetric(float64(stats.Commits)/float64(stats.Batches), "commits/batch")
	b.ReportMetric(float64(stats.Days), "days")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkNeedle looks for a word that is in one of 1,000 blocks of 1,000 records, in both directions, with files in the page cache.
func BenchmarkNeedle(b *testing.B) {
	s, err := Open(b.TempDir(), Options{})
	require.NoError(b, err)
	const blocks, marked = 1000, 500
	for n, batch := range benchBatches(1, blocks)[0] {
		if n == marked {
			head, records, err := logwire.ParseBatchHead(batch)
			require.NoError(b, err)
			r := benchRecord(rand.New(rand.NewPCG(1, 1)), time.Now().UnixNano(), 0, 0)
			r.Message = "the quokka has been found"
			head.Count++
			batch = logwire.AppendBatchRecord(append(logwire.AppendBatchHead(nil, head), records...), &r)
		}
		_, err := s.Append(context.Background(), batch)
		require.NoError(b, err)
	}
	require.NoError(b, s.Seal(context.Background()))
	f, err := query.Parse(`quokka`, time.Now())
	require.NoError(b, err)
	var end logwire.End
	back := false
	for b.Loop() {
		found := 0
		end = s.Query(context.Background(), f, logwire.QueryRequest{NewestFirst: back, Limit: 10}, func(uint64, []byte) error {
			found++
			return nil
		})
		require.Equal(b, 1, found)
		back = !back
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(end.Plan.Blocks), "ns/block")
	b.ReportMetric(float64(end.Plan.Read), "blocks-read")
	b.ReportMetric(float64(end.Plan.SkippedTokens), "blocks-skipped")
	require.NoError(b, s.Close())
}
