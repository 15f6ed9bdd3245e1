package logclient_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

func record(message string) logwire.Record {
	return logwire.Record{Level: logwire.Info, Service: "test", Message: message}
}

// newClient returns a client of the fake.
func newClient(t testing.TB, f *fake, o logclient.Options) *logclient.Client {
	o.Dialer = f.dial
	c, err := logclient.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { // of a test that has failed
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, _ = c.Close(ctx)
	})
	return c
}

// logAll logs n messages, which it returns.
func logAll(t testing.TB, c *logclient.Client, from, n int) (messages []string) {
	for i := range n {
		m := fmt.Sprint("message ", from+i)
		require.NoError(t, c.Log(record(m)))
		messages = append(messages, m)
	}
	return messages
}

// requireBalance fails if the ledger does not balance.
func requireBalance(t testing.TB, l logclient.Ledger) {
	require.Equal(t, l.Accepted+l.Recovered, l.Acknowledged+l.Dropped.Total()+l.Memory+l.Spooled, "%+v", l)
}

func TestClientDeliversInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := newClient(t, f, logclient.Options{BatchRecords: 7})
		synctest.Wait()
		require.Zero(t, f.dials, "New and an idle Client must not connect")
		want := logAll(t, c, 0, 1000)
		require.NoError(t, c.Sync(context.Background()))
		require.Equal(t, want, f.messages())
		l := c.Stats()
		requireBalance(t, l)
		require.EqualValues(t, 1000, l.Acknowledged)
		require.EqualValues(t, 1, l.Connections)
		left, err := c.Close(context.Background())
		require.NoError(t, err)
		require.Zero(t, left.Spooled+left.Dropped)
		require.ErrorIs(t, c.Log(record("late")), logclient.ErrClosed)
		requireBalance(t, c.Stats())
		f.stop()
	})
}
