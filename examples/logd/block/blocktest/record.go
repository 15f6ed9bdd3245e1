// Package blocktest makes records that look like those of a real program, for tests and benchmarks.
package blocktest

import (
	"fmt"
	"math/rand/v2"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// Source makes records from a seed: the same seed makes the same ones. It is for one goroutine.
type Source struct {
	random *rand.Rand
	time   int64
}

// NewSource returns a Source.
func NewSource(seed uint64) *Source {
	return &Source{random: rand.New(rand.NewPCG(seed, 1)), time: 1_770_000_000_000_000_000}
}

var (
	services = [...]string{"api", "billing", "checkout", "search"}
	paths    = [...]string{"/v1/orders", "/v1/users", "/v1/search", "/healthz", "/v2/cart/items"}
	methods  = [...]string{"GET", "GET", "GET", "POST", "PUT", "DELETE"}
	problems = [...]string{
		"upstream connection reset by peer, will retry with backoff",
		"query took longer than the configured threshold of the pool",
		"cache entry expired and was refreshed from the primary",
	}
)

// Next returns a record of about 200 bytes: a request of a service, or a problem of one. Its time is a little later
// than that of the one before.
func (s *Source) Next() logwire.Record {
	r := s.random
	s.time += int64(r.IntN(3_000_000))
	record := logwire.Record{
		Time: s.time, Level: logwire.Info, Service: services[r.IntN(len(services))],
		Host: fmt.Sprintf("web-%02d.example.net", r.IntN(8)),
	}
	trace := logwire.Field{Key: "trace", Kind: logwire.String, Value: fmt.Sprintf("%016x", r.Uint64())}
	user := logwire.Field{Key: "user", Kind: logwire.Number, Value: fmt.Sprint(r.IntN(50_000))}
	if r.IntN(10) == 0 {
		record.Level = logwire.Warn
		record.Message = fmt.Sprintf("%s: attempt %d for shard %d", problems[r.IntN(len(problems))], r.IntN(5), r.IntN(64))
		record.Fields = []logwire.Field{trace, user}
		return record
	}
	record.Message = fmt.Sprintf("%s %s/%d from 10.%d.%d.%d finished with status %d for app/4.%d", methods[r.IntN(len(methods))],
		paths[r.IntN(len(paths))], r.IntN(1_000_000), r.IntN(4), r.IntN(256), r.IntN(256), 200+r.IntN(4)*100, r.IntN(20))
	record.Fields = []logwire.Field{
		trace, user,
		{Key: "bytes", Kind: logwire.Number, Value: fmt.Sprint(r.IntN(100_000))},
		{Key: "took", Kind: logwire.Number, Value: fmt.Sprintf("%.3f", r.Float64()*100)},
	}
	return record
}

// Batch returns n records as in a batch: each with its length before it.
func (s *Source) Batch(n int) []byte {
	var b []byte
	for range n {
		record := s.Next()
		b = logwire.AppendBatchRecord(b, &record)
	}
	return b
}
