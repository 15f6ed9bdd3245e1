package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

var (
	loadRounds    = flag.Int("load.rounds", 1, "how many rounds of ingestion there are, of the plain writer and the service in turn")
	loadTime      = flag.Duration("load.time", 200*time.Millisecond, "how long each of them takes")
	loadProducers = flag.Int("load.producers", 8, "how many producers send at a time")
)

const (
	loadRecords = 1000 // in a batch
	loadSize    = 200  // bytes of a record
)

// loadBatches returns the records of n different batches, as they stand in one: loadRecords of loadSize bytes each. They look as
// those of a web service do: words that come again and again, numbers and identities that do not.
func loadBatches(n int) [][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	services := []string{"api", "billing", "gateway", "search", "sessions", "worker"}
	verbs := []string{"request served", "cache miss for", "retrying upstream", "connection accepted from", "query planned for"}
	batches := make([][]byte, n)
	now := time.Now().UnixNano()
	for i := range batches {
		for range loadRecords {
			r := logwire.Record{
				Time: now, Level: logwire.Info, Service: services[rnd.IntN(len(services))], Host: fmt.Sprintf("web-%02d", rnd.IntN(40)),
				Message: fmt.Sprintf("%s /v1/accounts/%d/items in %d ms", verbs[rnd.IntN(len(verbs))], rnd.IntN(1e6), rnd.IntN(900)),
				Fields: []logwire.Field{
					{Key: "status", Kind: logwire.Number, Value: fmt.Sprint(200 + rnd.IntN(4)*100)},
					{Key: "user", Kind: logwire.Number, Value: fmt.Sprint(rnd.IntN(1e7))},
					{Key: "trace", Value: fmt.Sprintf("%016x", rnd.Uint64())},
				},
			}
			pad := loadSize - r.Size() - len(" agent=")
			r.Message += " agent=" + "mozilla/5.0 (x11; linux x86_64; rv:128.0) gecko firefox/128.0 and more of the same"[:pad]
			batches[i] = logwire.AppendBatchRecord(batches[i], &r)
		}
	}
	return batches
}

// The whole service beside plain writers of the same batches to the same disk, round by round. Every batch is synced before
// the next one of its producer. With -load.rounds and -load.time it is a measurement; it asserts only that what was
// acknowledged is there.
func TestIngestion(t *testing.T) {
	batches := loadBatches(64)
	require.Len(t, batches[0], loadRecords*(loadSize+logwire.RecordPrefix))
	var rates, ratios [3][]float64
	for range *loadRounds {
		values, records, s := plainRound(t, batches, putBatch), plainRound(t, batches, putRecords), serviceRound(t, batches)
		for i, r := range []round{values, records, s} {
			rates[i], ratios[i] = append(rates[i], r.rate), append(ratios[i], s.rate/r.rate)
		}
		t.Logf("pebble, a key for a batch: %v   a key for a record: %v   service: %v   %5.1f %% and %.1f %%",
			values, records, s, 100*s.rate/values.rate, 100*s.rate/records.rate)
	}
	t.Logf("medians of %d rounds of %v, %d producers: pebble %.0f and %.0f, service %.0f records/s, %.1f %% and %.1f %%",
		*loadRounds, *loadTime, *loadProducers, median(rates[0]), median(rates[1]), median(rates[2]), 100*median(ratios[0]), 100*median(ratios[1]))
}

// round is what was seen in one.
type round struct {
	rate             float64       // records per second
	writer, producer time.Duration // CPU time for a record, of the process that stores and of the one that sends, if that is another
}

func (r round) String() string {
	s := fmt.Sprintf("%.0f records/s, CPU per record %v", r.rate, r.writer)
	if r.producer > 0 {
		s += fmt.Sprintf(" and %v of the producers", r.producer)
	}
	return s
}

// cpu returns what a process, or this one, has used.
func cpu(u *syscall.Rusage) time.Duration {
	if u == nil {
		u = new(syscall.Rusage)
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, u); err != nil {
			panic(err)
		}
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(of []float64) float64 {
	of = slices.Sorted(slices.Values(of))
	return of[len(of)/2]
}

// putBatch makes the batch the value of one key.
func putBatch(b *pebble.Batch, first uint64, records []byte) error {
	return b.Set(binary.BigEndian.AppendUint64([]byte{0}, first), records, nil)
}

// putRecords makes each record the value of a key.
func putRecords(b *pebble.Batch, first uint64, records []byte) error {
	record, rest, ok := logwire.NextRecord(records)
	for key := make([]byte, 9); ok; record, rest, ok = logwire.NextRecord(rest) {
		binary.BigEndian.PutUint64(key[1:], first)
		if err := b.Set(key, record, nil); err != nil {
			return err
		}
		first++
	}
	return nil
}

// plainRound has goroutines commit to a Pebble of this process, each batch synced.
func plainRound(t *testing.T, batches [][]byte, put func(b *pebble.Batch, first uint64, records []byte) error) round {
	begin := cpu(nil)
	db, err := pebble.Open(t.TempDir(), &pebble.Options{MemTableSize: 64 << 20, MemTableStopWritesThreshold: 4, Logger: quiet{}})
	require.NoError(t, err)
	var next atomic.Uint64
	rate := perSecond(func(_, n int) error {
		records := batches[n%len(batches)]
		b := db.NewBatchWithSize(len(records) + len(records)/8)
		defer b.Close()
		if err := put(b, next.Add(loadRecords)-loadRecords, records); err != nil {
			return err
		}
		return b.Commit(pebble.Sync)
	}, t)
	require.NoError(t, db.Close())
	return round{rate: rate, writer: (cpu(nil) - begin) / time.Duration(next.Load())}
}

// serviceRound has producers of this process send to a collector that is another one.
func serviceRound(t *testing.T, batches [][]byte) round {
	c := serving(t, t.TempDir())
	producers := make([]*producer, *loadProducers)
	for i := range producers {
		producers[i] = newProducer(c.dial(), uint16(i))
	}
	begin := cpu(nil)
	rate := perSecond(func(i, n int) error {
		_, err := producers[i].sendPatiently(context.Background(), batches[n%len(batches)], loadRecords)
		return err
	}, t)
	sending := cpu(nil) - begin
	var acknowledged uint64
	for _, p := range producers {
		acknowledged += p.head.Sequence * loadRecords
	}
	require.Equal(t, acknowledged+1, c.stats().NextID)
	require.Equal(t, 0, c.stop())
	used := cpu(c.cmd.ProcessState.SysUsage().(*syscall.Rusage))
	return round{rate, used / time.Duration(acknowledged), sending / time.Duration(acknowledged)}
}

// quiet is a logger for Pebble.
type quiet struct{}

func (quiet) Infof(string, ...any)              {}
func (quiet) Errorf(string, ...any)             {}
func (quiet) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// perSecond calls send, with the producer's number and how many it has sent, for each producer again and again until the time is
// over, and returns the records per second of all.
func perSecond(send func(producer, n int) error, t *testing.T) float64 {
	var all sync.WaitGroup
	var sent atomic.Int64
	begin := time.Now()
	for i := range *loadProducers {
		all.Go(func() {
			for n := i; time.Since(begin) < *loadTime; n++ {
				if err := send(i, n); err != nil {
					t.Error(err)
					return
				}
				sent.Add(loadRecords)
			}
		})
	}
	all.Wait()
	return float64(sent.Load()) / time.Since(begin).Seconds()
}
