package logclient_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient"
)

// A batch that makes room while the sender looks at it is dropped, and neither sent nor mistaken for the one behind it.
func TestDroppedWhileItIsLookedAt(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		var c *logclient.Client
		looks := 0
		o := logclient.WithPeeked(logclient.Options{BatchRecords: 2, QueueRecords: 4, Policy: logclient.DropOldest}, func() {
			if looks++; looks == 1 {
				logAll(t, c, 2, 3) // messages 0 and 1 are looked at, and there is room for two
			}
		})
		c = newClient(t, f, o)
		logAll(t, c, 0, 2)
		require.NoError(t, c.Sync(context.Background()))
		l := finish(t, c).Ledger
		require.Zero(t, l.Pending())
		require.EqualValues(t, 2, l.Dropped.QueueFull)
		require.EqualValues(t, 3, l.Acknowledged)
		require.Equal(t, []string{"message 2", "message 3", "message 4"}, f.messages())
		requireBalance(t, l)
	})
}
