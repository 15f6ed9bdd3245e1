package service_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/query"
	"github.com/serialkit/serialkit/examples/logd/service"
)

// model is a store in memory that is as simple as it can be. Its fields but mu are set before it is used, or under mu.
type model struct {
	hub *service.Hub

	mu      sync.Mutex
	records [][]byte              // by id-1
	first   uint64                // what is before has expired
	lost    map[uint64]bool       // ids that Follow cannot read
	emitted int                   // how many records Follow has emitted
	fail    error                 // what Append returns
	queried chan context.Context  // gets the context of each query, if it is not nil
	hold    chan struct{}         // what each query waits for after each record, if it is not nil
	scanned func(from, to uint64) // called by Scan, without mu
	slow    time.Duration         // what Follow takes for each record
}

func newModel(hub *service.Hub) *model { return &model{hub: hub, first: 1} }

func (m *model) Append(_ context.Context, batch []byte) (logwire.AppendAnswer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return logwire.AppendAnswer{}, m.fail
	}
	head, records, err := logwire.ParseBatchHead(batch)
	if err == nil {
		err = logwire.CheckRecords(records, head.Count, func(v *logwire.View) error {
			return logwire.CheckTime(v.Time, time.Now(), logwire.DefaultMaxAge, logwire.DefaultMaxAhead)
		})
	}
	if err != nil {
		return logwire.AppendAnswer{}, err
	}
	id := uint64(len(m.records)) + 1
	m.appendLocked(records, head.Count)
	return logwire.AppendAnswer{Stored: true, Mark: head.Sequence, FirstID: id}, nil
}

func (m *model) appendLocked(records []byte, count int) {
	id := uint64(len(m.records)) + 1
	for rest := records; ; {
		var record []byte
		var ok bool
		if record, rest, ok = logwire.NextRecord(rest); !ok {
			break
		}
		m.records = append(m.records, record)
	}
	m.hub.Publish(id, count, records)
}

// add appends records without a producer.
func (m *model) add(records ...logwire.Record) {
	var batch []byte
	for i := range records {
		batch = logwire.AppendBatchRecord(batch, &records[i])
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.appendLocked(slices.Clip(batch), len(records))
}

// expire removes the records before first.
func (m *model) expire(first uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.first = first
}

func (m *model) Head() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(len(m.records)) + 1
}

func (m *model) First() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.first
}

func (m *model) Stats() logwire.Stats {
	return logwire.Stats{NextID: m.Head(), FirstID: m.First()}
}

// matching returns the ids in from to to-1 that match, of those that have expired too.
func (m *model) matching(f *query.Filter, from, to uint64) (ids []uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := from; id < min(to, uint64(len(m.records))+1); id++ {
		var v logwire.View
		if logwire.TrustRecord(m.records[id-1], &v) && f.Match(&v) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (m *model) record(id uint64) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[id-1]
}

func (m *model) Follow(ctx context.Context, f *query.Filter, from, to uint64, emit func(uint64, []byte) error, pass func(first, end uint64)) (uint64, error) {
	if m.scanned != nil {
		m.scanned(from, to)
	}
	for id := from; id < to; id++ {
		if time.Sleep(m.slow); m.slow > 0 && id > from && ctx.Err() != nil {
			return id, ctx.Err()
		}
		if first := m.First(); id < first {
			pass(id, min(first, to))
			id = min(first, to) - 1
			continue
		}
		if m.lost[id] {
			pass(id, id+1)
			continue
		}
		if len(m.matching(f, id, id+1)) == 0 {
			continue
		}
		m.mu.Lock()
		m.emitted++
		m.mu.Unlock()
		if err := emit(id, m.record(id)); err != nil {
			return id, err
		}
	}
	return max(from, to), ctx.Err()
}

func (m *model) Query(ctx context.Context, f *query.Filter, req logwire.QueryRequest, emit func(uint64, []byte) error) (end logwire.End) {
	if m.queried != nil {
		m.queried <- ctx
	}
	for _, id := range m.matching(f, max(req.Cursor, m.First()), m.Head()) {
		if m.hold != nil {
			select {
			case <-m.hold:
			case <-ctx.Done():
				return logwire.End{Cursor: id, Reason: "error", Error: ctx.Err().Error()}
			}
		}
		if end.Plan.Matched == int64(req.Limit) {
			return logwire.End{Cursor: id, Reason: "limit", Plan: end.Plan}
		}
		if err := emit(id, m.record(id)); err != nil {
			return logwire.End{Cursor: id, Reason: "error", Error: err.Error()}
		}
		end.Plan.Matched++
	}
	end.Reason = "end"
	return end
}

// line returns a record of a service, of about so many bytes.
func line(name string, n int) logwire.Record {
	return logwire.Record{Time: time.Now().UnixNano(), Level: logwire.Info, Service: name, Host: "h", Message: fmt.Sprintf("%0*d", n, n)}
}

// lines returns n of them.
func lines(n int, name string, bytes int) []logwire.Record {
	return slices.Repeat([]logwire.Record{line(name, bytes)}, n)
}
