package logclient_test

import (
	"context"
	"slices"
	"sync"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// memorySink keeps what it is given. It checks each record, and does to the fields what a Client may: nothing of the slice is
// kept.
type memorySink struct {
	mu      sync.Mutex
	records []logwire.Record
	bad     []error
	syncs   int
	err     error // what Log returns

	sync func(ctx context.Context) error // nil: at once
}

func (s *memorySink) Log(r logwire.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := r.Check(); err != nil {
		s.bad = append(s.bad, err)
	}
	r.Fields = slices.Clone(r.Fields)
	s.records = append(s.records, r)
	return s.err
}

func (s *memorySink) Sync(ctx context.Context) error {
	s.mu.Lock()
	s.syncs++
	sync := s.sync
	s.mu.Unlock()
	if sync != nil {
		return sync(ctx)
	}
	return nil
}

// all returns the records so far, and panics if one was not as it must be.
func (s *memorySink) all() []logwire.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bad) > 0 {
		panic(s.bad[0])
	}
	return slices.Clone(s.records)
}

// last returns the fields of the last record.
func (s *memorySink) last() []logwire.Field {
	all := s.all()
	return all[len(all)-1].Fields
}

// str and others make the fields that are expected.
func str(key, value string) logwire.Field { return logwire.Field{Key: key, Value: value} }
func num(key, value string) logwire.Field {
	return logwire.Field{Key: key, Kind: logwire.Number, Value: value}
}
func boolean(key, value string) logwire.Field {
	return logwire.Field{Key: key, Kind: logwire.Bool, Value: value}
}
func jsonValue(key, value string) logwire.Field {
	return logwire.Field{Key: key, Kind: logwire.JSON, Value: value}
}
