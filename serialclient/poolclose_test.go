package serialclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// TestPoolClose: whoever waits did not run, whoever was sent may have; nothing is left, and nothing begins.
func TestPoolClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t, serialclient.WithMaxConnections(1, 1))
		a.answer = make(gate).answer
		sent, waits := hold(background, p, "x"), (<-chan error)(nil)
		synctest.Wait()
		waits = hold(background, p, "y")
		synctest.Wait()
		require.NoError(t, p.Close())
		failure(t, <-sent, 1, serialclient.Unknown, serialclient.ErrClosed)
		failure(t, <-waits, 1, serialclient.NotRun, serialclient.ErrPoolClosed)
		_, err := p.Call(background, 1, nil)
		failure(t, err, 1, serialclient.NotRun, serialclient.ErrPoolClosed)
		s := p.Stats()
		require.Equal(t, []int{0, 0, 0, 0, 0}, []int{s.Open, s.Idle, s.InUse, s.Dialing, s.Waiting})
		require.NoError(t, p.Close())
		require.NoError(t, p.Shutdown(background))
		a.set(func() { require.Zero(t, a.polite) })
	})
}

// TestPoolCloseWhileConnecting ends the attempt, and closes a connection that comes all the same.
func TestPoolCloseWhileConnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, other := serialtest.Pipe()
		p, err := serialclient.NewPool("net", []string{"a"}, nil, serialclient.WithDialer(
			func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return conn, nil
			}))
		require.NoError(t, err)
		call := hold(background, p, "x")
		synctest.Wait()
		require.NoError(t, p.Close())
		failure(t, <-call, 1, serialclient.NotRun, serialclient.ErrPoolClosed)
		rest, err := io.ReadAll(other)
		require.NoError(t, err)
		require.Empty(t, rest)
	})
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t)
		a.greet = func(p *peer) { p.gone() }
		call := hold(background, p, "x")
		synctest.Wait()
		require.NoError(t, p.Close())
		failure(t, <-call, 1, serialclient.NotRun, serialclient.ErrPoolClosed)
		require.Zero(t, p.Stats().Open)
	})
}

// TestPoolCloseUnderAStream: its Close gives back what is closed already.
func TestPoolCloseUnderAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := onePool(t)
		s, err := p.Stream(background, 1, nil)
		require.NoError(t, err)
		l, err := p.Pipeline(background)
		require.NoError(t, err)
		require.NoError(t, p.Close())
		require.NoError(t, s.Close())
		require.NoError(t, l.Close())
		require.Zero(t, p.Stats().InUse+p.Stats().Open+p.Stats().Idle)
	})
}

// TestPoolShutdown waits for all that has begun, those that wait for a connection among them, and then tells
// the servers.
func TestPoolShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t, serialclient.WithMaxConnections(2, 2))
		open := make(gate)
		a.answer = open.answer
		calls := []<-chan error{hold(background, p, "1"), hold(background, p, "2")}
		synctest.Wait()
		calls = append(calls, hold(background, p, "3"))
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- p.Shutdown(background) }()
		synctest.Wait()
		_, err := p.Call(background, 1, nil)
		failure(t, err, 1, serialclient.NotRun, serialclient.ErrPoolClosed)
		require.Empty(t, done)
		close(open)
		for _, call := range calls {
			require.NoError(t, <-call)
		}
		require.NoError(t, <-done)
		synctest.Wait()
		a.set(func() { require.Equal(t, []int{2, 2}, []int{a.polite, a.ended}) })
		require.Zero(t, p.Stats().Open)
	})
}

// TestPoolShutdownWaitsForStreams until they are closed.
func TestPoolShutdownWaitsForStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := onePool(t)
		s, err := p.Stream(background, 1, nil)
		require.NoError(t, err)
		l, err := p.Pipeline(background)
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() { done <- p.Shutdown(background) }()
		synctest.Wait()
		require.NoError(t, s.Finish())
		require.NoError(t, s.Close())
		synctest.Wait()
		require.Empty(t, done)
		require.NoError(t, l.Close())
		require.NoError(t, <-done)
	})
}

// TestPoolShutdownOfCallsThatMove: a call that has begun goes on to other addresses, by new connections too.
func TestPoolShutdownOfCallsThatMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(t, "a", "b")
		open := make(chan struct{})
		h.all["a"].greet = func(p *peer) { <-open; p.ok("") }
		h.all["a"].answer = saysGoodbye
		p := h.pool([]string{"a", "b"}, serialclient.WithMaxConnections(1, 1))
		call := hold(background, p, "x")
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- p.Shutdown(background) }()
		synctest.Wait()
		close(open)
		require.NoError(t, <-call)
		require.NoError(t, <-done)
		_, tasks := h.all["b"].seen()
		require.Len(t, tasks, 1)
	})
}

// TestPoolShutdownThatTakesTooLong closes at once.
func TestPoolShutdownThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t)
		a.answer = make(gate).answer
		call := hold(background, p, "x")
		synctest.Wait()
		cause := errors.New("cause")
		ctx, cancel := context.WithTimeoutCause(background, time.Second, cause)
		defer cancel()
		begin := time.Now()
		require.Equal(t, cause, p.Shutdown(ctx))
		require.Equal(t, time.Second, time.Since(begin))
		failure(t, <-call, 1, serialclient.Unknown, serialclient.ErrClosed)
	})
}

// TestPoolShutdownOfServersThatSayNothing: 5 s are taken for their Goodbyes.
func TestPoolShutdownOfServersThatSayNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, other := serialtest.Pipe()
		peer := play(t, other, func(p *peer) {
			p.request()
			p.ok("")
			p.gone()
		})
		p, err := serialclient.NewPool("net", []string{"a"}, nil, serialclient.WithDialer(
			func(context.Context, string, string) (net.Conn, error) { return conn, nil }))
		require.NoError(t, err)
		l, err := p.Pipeline(background)
		require.NoError(t, err)
		require.NoError(t, l.Close())
		begin := time.Now()
		require.NoError(t, p.Shutdown(background))
		require.Equal(t, 5*time.Second, time.Since(begin))
		<-peer.done
	})
}

// TestPoolEndsTogether: Shutdown and Close, several times at the same time and under load.
func TestPoolEndsTogether(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			h := newHosts(t, "a", "b")
			p := h.pool([]string{"a", "b"}, serialclient.WithMaxConnections(3, 2))
			var all sync.WaitGroup
			for range 6 {
				all.Go(func() {
					for {
						if _, err := p.Call(background, 1, []byte("x")); err != nil {
							require.True(t, errors.Is(err, serialclient.ErrPoolClosed) || errors.Is(err, serialclient.ErrClosed), err)
							return
						}
					}
				})
			}
			poolCall(t, p, "y")
			for range 3 {
				all.Go(func() { require.NoError(t, p.Shutdown(background)) })
				all.Go(func() { require.NoError(t, p.Close()) })
			}
			all.Wait()
			s := p.Stats()
			require.Equal(t, []int{0, 0, 0, 0, 0}, []int{s.Open, s.Idle, s.InUse, s.Dialing, s.Waiting})
		})
	}
}
