package crashtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/stretchr/testify/require"
)

func readerOf(b []byte) io.Reader { return bytes.NewReader(b) }

// stats asks the collector.
func (c *collector) stats() (stats logwire.Stats) {
	ctx := context.Background()
	client, err := c.dial(ctx)
	require.NoError(c.t, err)
	defer client.Close()
	b, err := client.Call(ctx, logwire.TaskStats, nil)
	require.NoError(c.t, err)
	require.NotEmpty(c.t, b)
	require.Equal(c.t, logwire.StatusOK, logwire.Status(b[0]))
	require.NoError(c.t, json.Unmarshal(b[1:], &stats))
	return stats
}

// count returns how often each of the n records of a service is there.
func (c *collector) count(t *testing.T, service string, n int) []int {
	ctx := context.Background()
	reader, err := logclient.NewReader(logclient.Options{Address: "unix://" + c.socket})
	require.NoError(t, err)
	times := make([]int, n)
	for cursor := uint64(1); cursor != 0; {
		rows, err := reader.Query(ctx, logwire.QueryRequest{Limit: logwire.MaxLimit, Cursor: cursor, Text: "service:" + service})
		require.NoError(t, err)
		for rows.Next() {
			var number int
			_, err := fmt.Sscanf(string(rows.Record().Message), "record %d\n", &number)
			require.NoError(t, err)
			times[number]++
		}
		require.NoError(t, rows.Err())
		end, ok := rows.End()
		require.True(t, ok)
		require.Empty(t, end.Error)
		cursor = end.Cursor
		require.NoError(t, rows.Close())
	}
	return times
}
