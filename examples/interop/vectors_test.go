package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/serialtest"
)

// The daemon gives the answers that the golden transcripts have.
func TestGoldenTranscripts(t *testing.T) {
	for transport, pair := range transports {
		t.Run(transport, func(t *testing.T) {
			for _, v := range serialtest.Vectors() {
				client, server := pair(t)
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					d := newDaemon(config{order: orders[v.Order]}, zap.NewNop())
					_ = d.server.HandleConnection(context.Background(), server, d.order)
				}()
				requireTranscript(t, client, v)
				client.Close()
				<-ended
			}
		})
	}
}

// requireTranscript requires that v is what happens on a connection to the daemon. Answers are
// compared as messages: echo may cut its own into other blocks.
func requireTranscript(t *testing.T, conn net.Conn, v serialtest.Vector) {
	t.Helper()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute))) // a test that hangs fails
	_, err := conn.Write(v.Send)
	require.NoError(t, err, v.Name)
	if v.End == "open" {
		require.NoError(t, conn.(interface{ CloseWrite() error }).CloseWrite())
	}
	received := bufio.NewReader(conn)
	for _, want := range v.Messages {
		if want.Cut != nil && len(*want.Cut) == 0 {
			break // no answer has begun
		}
		got, err := serialtest.ReadMessage(received)
		require.NoError(t, err, v.Name)
		require.Equal(t, want.String(), got.String(), v.Name)
	}
	rest, err := io.ReadAll(received)
	require.NoError(t, err, v.Name)
	require.Empty(t, rest, v.Name)
}
