package serialclient_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
)

// benchPool returns a Pool over one connection to a benchServer, and another Client over one of its own.
func benchPool(t testing.TB) (*serialclient.Pool, *serialclient.Client) {
	accept := func() net.Conn {
		conn, other := tcpPair(t)
		go func() {
			buf := make([]byte, 2) // the Describe
			if _, err := io.ReadFull(other, buf); err == nil {
				other.Write(okResponse(describe(0)))
			}
			benchServer(other)
		}()
		return conn
	}
	p, err := serialclient.NewPool("tcp", []string{"a"}, nil, serialclient.WithDialer(
		func(context.Context, string, string) (net.Conn, error) { return accept(), nil }))
	require.NoError(t, err)
	c := serialclient.New(accept(), nil)
	_, err = c.Describe(background)
	require.NoError(t, err)
	t.Cleanup(func() { p.Close(); c.Close() })
	return p, c
}

// TestPoolCallAllocatesNoMoreThanItsClients: over an idle connection.
func TestPoolCallAllocatesNoMoreThanItsClients(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates; make test runs it without")
	}
	p, c := benchPool(t)
	ctx, cancel := context.WithTimeout(background, time.Hour)
	defer cancel()
	for name, ctx := range map[string]context.Context{"no end": background, "deadline": ctx} {
		dst := make([]byte, 0, 64)
		byClient := testing.AllocsPerRun(1000, func() {
			if _, err := c.AppendCall(ctx, dst, 1, benchRequest); err != nil {
				t.Fatal(err)
			}
		})
		for way, opts := range map[string][]serialclient.CallOption{"": nil, "idempotent": {serialclient.Idempotent}} {
			byPool := testing.AllocsPerRun(1000, func() {
				if _, err := p.AppendCall(ctx, dst, 1, benchRequest, opts...); err != nil {
					t.Fatal(err)
				}
			})
			require.Equal(t, byClient, byPool, "%s %s", name, way)
		}
	}
	require.Equal(t, uint64(1), p.Stats().Dials)
}

func BenchmarkPoolCall(b *testing.B) {
	p, _ := benchPool(b)
	dst := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.AppendCall(background, dst, 1, benchRequest); err != nil {
			b.Fatal(err)
		}
	}
}
