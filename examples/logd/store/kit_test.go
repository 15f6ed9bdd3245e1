package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// epochTime is what the tests' clocks begin with.
var epochTime = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// plenty is a disk that is never full.
func plenty(string) (uint64, error) { return 1 << 40, nil }

// small are options that make a store do with little what it does with much.
func small(fs vfs.FS) Options {
	return Options{
		FS: fs, Now: func() time.Time { return epochTime }, FreeSpace: plenty, MemTable: 256 << 10,
		OnFatal: func(error) {}, hooks: hooks{manual: true, blockRecords: 7},
	}
}

// open opens a store that the test's end closes.
func open(t testing.TB, fs vfs.FS, change func(*Options)) *Store {
	t.Helper()
	o := small(fs)
	if change != nil {
		change(&o)
	}
	s, err := Open("data", o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func producer(n byte) logwire.ProducerID { return logwire.ProducerID{n, 1, 2, 3} }

// batch makes a batch whose records say whose they are.
func batch(p byte, epoch, sequence uint64, count int) []byte {
	b := logwire.AppendBatchHead(nil, logwire.BatchHead{Producer: producer(p), Epoch: epoch, Sequence: sequence, Count: count})
	for i := range count {
		r := record(p, epoch, sequence, i)
		b = logwire.AppendBatchRecord(b, &r)
	}
	return b
}

func record(p byte, epoch, sequence uint64, i int) logwire.Record {
	return logwire.Record{
		Time: epochTime.UnixNano() + int64(sequence), Level: logwire.Level(1 + (int(sequence)+i)%6), Service: fmt.Sprintf("service%d", p),
		Host: "h", Message: fmt.Sprintf("%d/%d/%d/%d", p, epoch, sequence, i),
		Fields: []logwire.Field{{Key: "n", Kind: logwire.Number, Value: fmt.Sprint(i)}},
	}
}

func mustAppend(t testing.TB, s *Store, b []byte) logwire.AppendAnswer {
	t.Helper()
	a, err := s.Append(context.Background(), b)
	require.NoError(t, err)
	return a
}
