package store

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// TestOnTheRealDisk is everything once with the operating system's files, its clock and the defaults.
func TestOnTheRealDisk(t *testing.T) {
	dir := t.TempDir() + "/new/data"
	b := logwire.AppendBatchHead(nil, logwire.BatchHead{Producer: producer(1), Epoch: 1, Sequence: 1, Count: 1})
	b = logwire.AppendBatchRecord(b, &logwire.Record{Time: time.Now().UnixNano(), Level: logwire.Info, Service: "s", Message: "m"})
	for round := range 3 {
		s, err := Open(dir, Options{})
		require.NoError(t, err)
		a, err := s.Append(context.Background(), b)
		require.NoError(t, err)
		require.Equal(t, round == 0, a.Stored)
		_, err = Open(dir, Options{})
		require.ErrorIs(t, err, ErrLocked)
		require.NoError(t, s.Seal(context.Background()))
		var g got
		end := s.Query(context.Background(), nil, logwire.QueryRequest{}, g.emit)
		require.Equal(t, "end", end.Reason)
		require.Equal(t, 1, end.Plan.Read)
		require.Equal(t, []string{"m"}, g.messages)
		require.Positive(t, s.Stats().FreeBytes)
		require.NoError(t, s.Close())
	}
}
