package crashtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/stretchr/testify/require"
)

func readerOf(b []byte) io.Reader { return bytes.NewReader(b) }

// stats asks the collector.
func (k *killing) stats() (stats logwire.Stats) {
	ctx := context.Background()
	c, err := k.collector.dial(ctx)
	require.NoError(k.t, err)
	defer c.Close()
	b, err := c.Call(ctx, logwire.TaskStats, nil)
	require.NoError(k.t, err)
	require.NotEmpty(k.t, b)
	require.Equal(k.t, logwire.StatusOK, logwire.Status(b[0]))
	require.NoError(k.t, json.Unmarshal(b[1:], &stats))
	return stats
}
