package service

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// A tail goes through a large batch of the hub in steps, each of which looks at stepBytes and one record more at the most.
func TestTailLooksAtABatchInSteps(t *testing.T) {
	const count = 30
	r := logwire.Record{Time: 1, Level: logwire.Info, Service: "b", Message: string(make([]byte, logwire.MaxMessage))}
	var records []byte
	for range count {
		records = logwire.AppendBatchRecord(records, &r)
	}
	filter, err := parseFilter("service:a")
	require.NoError(t, err)
	hub := NewHub(0)
	hub.begin(7)
	hub.Publish(7, count, records)
	s := &Service{hub: hub, filtering: make(chan struct{}, 1), options: Options{Position: time.Hour}}
	tail := &tail{service: s, ctx: t.Context(), filter: filter, next: 7, live: true}
	for tail.next < 7+count {
		before := tail.next
		news, err := tail.step()
		require.NoError(t, err)
		require.Nil(t, news)
		require.Greater(t, tail.next, before)
		require.LessOrEqual(t, int(tail.next-before-1)*logwire.MaxMessage, stepBytes)
	}
	require.Equal(t, len(records), tail.place)
}
