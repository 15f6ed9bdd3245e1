package serialdaemon_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

func TestStartAndClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g serialdaemon.Group
		require.False(t, g.Ready(), "nothing was started")
		for range 2 { // a group that was closed begins anew
			one, two, other := newListener(), newListener(), newListener()
			addrs, errs, err := g.Start(context.Background(), newServer(), one.endpoint(), two.endpoint())
			require.NoError(t, err)
			require.Len(t, addrs, 2)
			require.Equal(t, serialtest.Addr("memory"), addrs[0])
			_, otherErrs, err := g.Start(context.Background(), newServer(), other.endpoint())
			require.NoError(t, err)
			require.True(t, g.Ready())
			for _, l := range []*listener{one, two, other} {
				c := l.dial(t)
				echoes(t, c)
				c.Close()
			}
			require.Empty(t, all(g.Close()))
			require.Empty(t, all(errs))
			require.Empty(t, all(otherErrs))
			require.True(t, one.isClosed() && two.isClosed() && other.isClosed())
			require.False(t, g.Ready())
			require.Empty(t, all(g.Close()), "nothing is left to be closed")
		}
	})
}

func TestStartFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g serialdaemon.Group
		l := newListener()
		bad := &serialdaemon.Endpoint{Network: "unix", Address: "/no/such/place"}
		_, _, err := g.Start(context.Background(), newServer(), l.endpoint(), bad)
		require.ErrorIs(t, err, serialdaemon.ErrListen)
		require.True(t, l.isClosed())
		require.False(t, g.Ready())
		_, _, err = g.Start(context.Background(), newServer())
		require.ErrorIs(t, err, serialdaemon.ErrUsage)
		require.ErrorIs(t, g.Serve(context.Background(), newServer()), serialdaemon.ErrUsage)
		require.ErrorIs(t, g.Run(context.Background(), newServer(), bad), serialdaemon.ErrListen)
	})
}

// The real address of port 0 is known, and connects, as soon as Start has returned.
func TestStartOnASocket(t *testing.T) {
	path := unixPath(t)
	addrs, errs, err := serialdaemon.Start(context.Background(), newServer(), endpoints(t, "tcp://127.0.0.1:0", "unix://"+path)...)
	require.NoError(t, err)
	for _, addr := range addrs {
		c := dial(t, addr)
		echoes(t, c)
		c.Close()
	}
	require.Empty(t, all(serialdaemon.Close()))
	require.Empty(t, all(errs))
	require.NoFileExists(t, path)
}

// The end of Start's context is a stop that lets tasks end.
func TestStartUntilTheContextIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g serialdaemon.Group
		l, other := newListener(), newListener()
		ctx, cancel := context.WithCancel(context.Background())
		_, errs, err := g.Start(ctx, newServer(), l.endpoint())
		require.NoError(t, err)
		_, _, err = g.Start(context.Background(), newServer(), other.endpoint())
		require.NoError(t, err)
		start := time.Now()
		answer := call(l.dial(t), taskSleep, "10s")
		cancel()
		require.Empty(t, all(errs))
		require.NoError(t, <-answer)
		require.Equal(t, 10*time.Second, time.Since(start))
		echoes(t, other.dial(t))
		require.Empty(t, all(g.Close()))
	})
}

func TestAnEndpointThatFailsStopsItsSiblings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g serialdaemon.Group
		one, two, other := newListener(), newListener(), newListener()
		_, errs, err := g.Start(context.Background(), newServer(), one.endpoint(), two.endpoint())
		require.NoError(t, err)
		_, _, err = g.Start(context.Background(), newServer(), other.endpoint())
		require.NoError(t, err)
		answer := call(two.dial(t), taskSleep, "10s")
		one.broken <- errBroken
		synctest.Wait()
		require.False(t, g.Ready())
		require.True(t, one.isClosed() && two.isClosed())
		require.False(t, other.isClosed())
		failed := all(errs)
		require.NoError(t, <-answer)
		require.Len(t, failed, 1)
		require.ErrorIs(t, failed[0], errBroken)
		require.ErrorIs(t, failed[0], serialdaemon.ErrServe)
		require.ErrorContains(t, failed[0], "serialdaemon: tcp://memory:0: ")
		require.Equal(t, failed, all(g.Close()), "nobody has to read the channel of Start")
	})
}

// Everything that goes wrong is told of, once.
func TestEveryErrorIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := serialdaemon.Group{DrainTimeout: time.Second}
		l, other := newListener(), newListener()
		_, errs, err := g.Start(context.Background(), newServer(), l.endpoint())
		require.NoError(t, err)
		_, _, err = g.Start(context.Background(), newServer(), other.endpoint())
		require.NoError(t, err)
		one, two := call(l.dial(t), taskSleep, "1h"), call(other.dial(t), taskSleep, "1h")
		l.broken <- errBroken
		failed := all(errs)
		require.Len(t, failed, 2)
		require.ErrorIs(t, failed[0], errBroken)
		require.ErrorIs(t, failed[1], serialdaemon.ErrDrainTimeout)
		closed := all(g.Close())
		require.Len(t, closed, 3)
		require.Equal(t, failed, closed[:2])
		require.ErrorIs(t, closed[2], serialdaemon.ErrDrainTimeout)
		require.Empty(t, all(g.Close()))
		require.Error(t, <-one)
		require.Error(t, <-two)
	})
}

func TestServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g serialdaemon.Group
		l := newListener()
		ctx, cancel := context.WithCancel(context.Background())
		returned := make(chan error, 1)
		go func() { returned <- g.Serve(ctx, newServer(), l.endpoint()) }()
		c := l.dial(t)
		require.Empty(t, all(g.Close()))
		require.False(t, g.Ready())
		echoes(t, c)
		answer := call(c, taskSleep, "10s")
		cancel()
		require.NoError(t, <-returned)
		require.NoError(t, <-answer)

		l = newListener()
		go func() { returned <- g.Serve(context.Background(), newServer(), l.endpoint()) }()
		l.broken <- errBroken
		require.ErrorIs(t, <-returned, errBroken)
	})
}

// A server that the application stops has not failed.
func TestServerThatIsShutDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g serialdaemon.Group
		l, srv := newListener(), newServer()
		_, errs, err := g.Start(context.Background(), srv, l.endpoint())
		require.NoError(t, err)
		_, err = srv.Shutdown(context.Background())
		require.NoError(t, err)
		require.Empty(t, all(errs))
		require.Empty(t, all(g.Close()))
	})
}

func TestStartDuringAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g serialdaemon.Group
		l := newListener()
		_, _, err := g.Start(context.Background(), newServer(), l.endpoint())
		require.NoError(t, err)
		answer := call(l.dial(t), taskSleep, "10s")
		errs := g.Close()
		synctest.Wait()
		late := newListener()
		_, _, err = g.Start(context.Background(), newServer(), late.endpoint())
		require.ErrorIs(t, err, serialdaemon.ErrStopping)
		require.True(t, late.isClosed())
		require.Empty(t, all(errs))
		require.NoError(t, <-answer)
	})
}

// The drain of each server is bounded. What is cut off is an error.
func TestDrainTimeout(t *testing.T) {
	for _, test := range []struct {
		set, want time.Duration
	}{{0, serialdaemon.DefaultDrainTimeout}, {time.Second, time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			g := serialdaemon.Group{DrainTimeout: test.set}
			l := newListener()
			_, _, err := g.Start(context.Background(), newServer(), l.endpoint())
			require.NoError(t, err)
			answer, start := call(l.dial(t), taskSleep, "1h"), time.Now()
			failed := all(g.Close())
			require.Equal(t, test.want, time.Since(start))
			require.Error(t, <-answer)
			require.Len(t, failed, 1)
			require.ErrorIs(t, failed[0], serialdaemon.ErrDrainTimeout)
			require.ErrorContains(t, failed[0], "connections cut off: 1, of which tasks do not end: 0")
		})
	}
	synctest.Test(t, func(t *testing.T) { // or not bounded
		g := serialdaemon.Group{DrainTimeout: -1}
		l := newListener()
		_, _, err := g.Start(context.Background(), newServer(), l.endpoint())
		require.NoError(t, err)
		answer := call(l.dial(t), taskSleep, "20m")
		require.Empty(t, all(g.Close()))
		require.NoError(t, <-answer)
	})
}

// Endpoints may have handshakes of their own.
func TestEndpointsHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g serialdaemon.Group
		plain, refusing := newListener(), newListener()
		e := refusing.endpoint()
		e.Handshake = refuse
		_, _, err := g.Start(context.Background(), serialserver.New(nil), plain.endpoint(), e)
		require.NoError(t, err)
		require.NoError(t, plain.dial(t).KeepAlive(context.Background()))
		require.Error(t, refusing.dial(t).KeepAlive(context.Background()))
		g.Close()
	})
}
