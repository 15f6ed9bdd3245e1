package serialdaemon_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialdaemon"
)

// callers call what listens at some addresses as fast as they can, and connect again where they are told Goodbye.
type callers struct {
	stop     atomic.Bool
	running  sync.WaitGroup
	answered atomic.Int64
	notRun   atomic.Int64
	wrong    chan error // what no client should see
}

func newCallers(each int, addrs []net.Addr) *callers {
	c := &callers{wrong: make(chan error, each*len(addrs))}
	for _, addr := range addrs {
		for range each {
			c.running.Go(func() {
				if err := c.run(addr); err != nil {
					c.wrong <- fmt.Errorf("%v: %w", addr, err)
				}
			})
		}
	}
	return c
}

func (c *callers) run(addr net.Addr) error {
	for !c.stop.Load() {
		client, err := serialclient.Dial(context.Background(), addr.Network(), addr.String(), nil)
		if err != nil {
			return err // it is never closed
		}
		for calls := 0; err == nil && calls < 20 && !c.stop.Load(); calls++ {
			if _, err = client.Call(context.Background(), taskEcho, []byte("x")); err == nil {
				c.answered.Add(1)
			}
		}
		client.Close()
		if err != nil && !serialclient.SafeToRetry(err) {
			return err
		}
		if err != nil {
			c.notRun.Add(1)
		}
	}
	return nil
}

// trySignal sends a signal unless the process has some that it has not minded yet, as it may when it has ended.
func trySignal(signals chan os.Signal, s os.Signal) {
	select {
	case signals <- s:
	default:
	}
}

// disturb lets somebody connect to the control socket who is no next process.
func disturb(t *testing.T, how int, control string, urls []string) {
	t.Helper()
	switch how {
	case 0:
		conn, err := net.Dial("unix", control)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	case 1:
		require.NoError(t, takes(t, control).Close())
	case 2:
		_, err := takes(t, control).Write([]byte("x"))
		require.NoError(t, err)
	case 3:
		failed := &serialdaemon.Group{Handover: control}
		_, _, err := failed.Start(context.Background(), newServer(), endpoints(t, append(urls, "unix:///no/such/place")...)...)
		require.ErrorIs(t, err, serialdaemon.ErrListen)
	}
}

// startAndStop starts another server of a group, which may be stopping, and stops it.
func startAndStop(g *serialdaemon.Group, e []*serialdaemon.Endpoint) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, errs, err := g.Start(ctx, newServer(), e...)
	cancel()
	if err == nil {
		<-errs
	}
}

// stopAlso stops a process that has handed over, by something else.
func stopAlso(now *generation, how int) {
	switch how {
	case 0:
		trySignal(now.signals, syscall.SIGTERM)
	case 1:
		now.Close()
	case 2:
		trySignal(now.signals, syscall.SIGUSR2)
	}
}

// Whatever else happens to a process while the next one takes over, nobody is refused, and no call is lost.
func TestHandoverUnderLoad(t *testing.T) {
	const generations, clients = 20, 3
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	control := filepath.Join(dir, "control")
	urls := []string{"tcp://127.0.0.1:0", "unix://" + filepath.Join(dir, "s")}
	now := generationOf(t, control, urls)
	load := newCallers(clients, now.addrs)
	var background sync.WaitGroup
	for range generations {
		former := now
		disturb(t, random.IntN(5), control, urls)
		if random.IntN(2) == 0 {
			background.Go(func() { trySignal(former.signals, syscall.SIGHUP) })
		}
		if random.IntN(3) == 0 {
			e := endpoints(t, "tcp://127.0.0.1:0")
			background.Go(func() { startAndStop(former.Group, e) })
		}
		now = generationOf(t, control, urls)
		stopAlso(former, random.IntN(4))
		require.NoError(t, <-former.ended)
		require.Empty(t, load.wrong)
		require.Equal(t, former.addrs, now.addrs)
	}
	background.Wait()
	load.stop.Store(true)
	load.running.Wait()
	close(load.wrong)
	require.NoError(t, <-load.wrong)
	require.Positive(t, load.answered.Load())
	require.Positive(t, load.notRun.Load(), "the clients were told Goodbye")
	t.Logf("%d calls answered, %d not run", load.answered.Load(), load.notRun.Load())
	now.signals <- syscall.SIGTERM
	require.NoError(t, <-now.ended)
	require.NoFileExists(t, control)
	require.NoFileExists(t, filepath.Join(dir, "s"))
}
