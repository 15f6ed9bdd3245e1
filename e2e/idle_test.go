package e2e_test

import (
	"context"
	"flag"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialserver"
)

var idleTasks = flag.Int("idle.tasks", 20_000, "tasks of TestNoWakeUpIsLost")

// TestNoWakeUpIsLost: connections that go idle for a random while, some for so long that they give their
// buffers up, are answered when they go on. A wake-up that is lost shows as a response that never comes.
func TestNoWakeUpIsLost(t *testing.T) {
	const connections = 200
	srv := serialserver.New(nil)
	srv.Register(1, func(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...interface{}) (io.Reader, error) {
		return in, nil
	}, "echo")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background(), l) }()

	seed := rand.Uint64()
	var tasks, pauses, long atomic.Int64
	var all sync.WaitGroup
	for i := range connections {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, uint64(i)))
			c, err := serialclient.Dial(context.Background(), "tcp", l.Addr().String(), nil,
				serialclient.WithTimeout(serialclient.Timeout{Wait: 30 * time.Second}))
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			for tasks.Add(1) <= int64(*idleTasks) {
				if pause := idleFor(rnd); pause > 0 {
					pauses.Add(1)
					if pause > time.Second {
						long.Add(1)
					}
					<-time.After(pause)
				}
				if err := idleCalls(c, rnd); err != nil {
					t.Errorf("seed %d, connection %d: %v", seed, i, err)
					return
				}
			}
		})
	}
	all.Wait()
	t.Logf("seed %d: %d tasks or more, %d pauses, of which %d were longer than a second", seed, *idleTasks, pauses.Load(), long.Load())
	require.NotZero(t, pauses.Load())
	_, err = srv.Shutdown(context.Background())
	require.NoError(t, err)
	require.Equal(t, serialserver.ErrServerClosed, <-served)
}

// idleFor returns how long a connection is idle before its next task: mostly not at all.
func idleFor(rnd *rand.Rand) time.Duration {
	switch n := rnd.IntN(1000); {
	case n < 900:
		return 0
	case n < 998:
		return time.Duration(rnd.IntN(2_000_000))
	default:
		return 990*time.Millisecond + time.Duration(rnd.IntN(30_000_000)) // around a second
	}
}

// idleCalls makes a call, or a few in a pipeline.
func idleCalls(c *serialclient.Client, rnd *rand.Rand) error {
	request := make([]byte, rnd.IntN(300))
	if rnd.IntN(10) > 0 {
		_, err := c.Call(context.Background(), 1, request)
		return err
	}
	p, err := c.Pipeline(context.Background())
	if err != nil {
		return err
	}
	defer p.Close()
	for range 3 {
		if err := p.Send(1, request); err != nil {
			return err
		}
	}
	for range 3 {
		if _, err := p.Receive(nil); err != nil {
			return err
		}
	}
	return nil
}
