package serialclient_test

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
)

// pass lets time pass in a bubble.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// TestPoolClosesIdleConnections: at the time, and not a nanosecond before.
func TestPoolClosesIdleConnections(t *testing.T) {
	const minute = 60_000
	for name, c := range map[string]struct {
		option time.Duration
		wait   int64 // that the server describes, in ms
		want   time.Duration
	}{
		"as set":                        {7 * time.Second, 0, 7 * time.Second},
		"by default":                    {0, 30 * minute, serialclient.DefaultIdleTimeout},
		"the server allows less":        {0, 10 * minute, 7*time.Minute + 30*time.Second},
		"the server allows little more": {0, 13*minute + 20_000, serialclient.DefaultIdleTimeout},
		"none, but the server has one":  {-1, 1000, 750 * time.Millisecond},
		"a server that says nonsense":   {0, -5, serialclient.DefaultIdleTimeout},
		"a server that says too much":   {0, math.MaxInt64, serialclient.DefaultIdleTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, a := onePool(t, serialclient.WithIdleTimeout(c.option))
				a.wait = c.wait
				poolCall(t, p, "x")
				pass(c.want / 2)
				poolCall(t, p, "it is idle anew after each call")
				pass(c.want - 1)
				require.Equal(t, 1, p.Stats().Idle)
				require.Zero(t, p.Stats().Evicted.Total())
				pass(1)
				s := p.Stats()
				require.Equal(t, []int{0, 0}, []int{s.Idle, s.Open})
				require.Equal(t, serialclient.PoolEvictions{Idle: 1}, s.Evicted)
				a.set(func() { require.Equal(t, 1, a.ended) })
				poolCall(t, p, "y")
				require.Equal(t, uint64(2), p.Stats().Dials)
			})
		})
	}
}

// TestPoolKeepsNothingAlive: it lets idle connections go instead.
func TestPoolKeepsNothingAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t, serialclient.WithClientOptions(serialclient.WithKeepAlive(time.Second)))
		poolCall(t, p, "x")
		pass(time.Minute)
		_, tasks := a.seen()
		require.Len(t, tasks, 1)
		require.Equal(t, 1, p.Stats().Idle)
	})
}

// TestPoolIdleConnectionsAreInOrder also where one is put back after it was looked at.
func TestPoolIdleConnectionsAreInOrder(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	require.Equal(t, []time.Time{at(1), at(2), at(2), at(3), at(4)}, serialclient.PutIdle(at(2), at(4), at(1), at(3), at(2)))
}

func TestPoolWithoutIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := onePool(t, serialclient.WithIdleTimeout(-1), serialclient.WithMaxLifetime(-1))
		poolCall(t, p, "x")
		pass(1000 * time.Hour)
		poolCall(t, p, "y")
		require.Equal(t, uint64(1), p.Stats().Dials)
	})
}

// TestPoolIdleConnectionsExpireEachAtItsTime: those that are used go on.
func TestPoolIdleConnectionsExpireEachAtItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t, serialclient.WithIdleTimeout(time.Minute))
		var streams []*serialclient.PoolStream
		for range 3 {
			s, err := p.Stream(background, 1, nil)
			require.NoError(t, err)
			require.NoError(t, s.Finish())
			streams = append(streams, s)
		}
		for _, s := range streams {
			require.NoError(t, s.Close())
			pass(10 * time.Second)
		}
		for range 10 { // the last one is used on, as it was used last
			poolCall(t, p, "x")
			pass(10 * time.Second)
		}
		require.Equal(t, 1, p.Stats().Open)
		require.Equal(t, serialclient.PoolEvictions{Idle: 2}, p.Stats().Evicted)
		_, tasks := a.seen()
		require.Len(t, tasks, 13)
	})
}

// lifetime measures when a connection that is used all the time is replaced.
func lifetime(t *testing.T, step time.Duration, opts ...serialclient.PoolOption) (lived time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := onePool(t, append(opts, serialclient.WithIdleTimeout(-1))...)
		poolCall(t, p, "x")
		begin := time.Now()
		for p.Stats().Evicted.Old == 0 {
			pass(step)
			require.Equal(t, p.Stats().Evicted.Old, p.Stats().Evicted.Total())
		}
		lived = time.Since(begin)
	})
	return lived
}

// TestPoolLifetime: each connection's is the set one less up to a fifth, each another.
func TestPoolLifetime(t *testing.T) {
	for _, c := range []struct{ set, want time.Duration }{{0, serialclient.DefaultMaxLifetime}, {time.Hour / 2, time.Hour / 2}} {
		lived := make(map[time.Duration]bool)
		for range 50 {
			d := lifetime(t, c.want/1000, serialclient.WithMaxLifetime(c.set))
			require.GreaterOrEqual(t, d, c.want/5*4)
			require.LessOrEqual(t, d, c.want)
			lived[d] = true
		}
		require.Greater(t, len(lived), 20, "of 200 possible ones")
	}
	require.Equal(t, 5*time.Nanosecond, max(lifetime(t, 1, serialclient.WithMaxLifetime(5)), 5), "a lifetime of a few nanoseconds")
}

// TestPoolConnectionThatBecomesTooOldInUse is closed when its call has ended, not before.
func TestPoolConnectionThatBecomesTooOldInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t, serialclient.WithMaxLifetime(time.Minute))
		open := make(gate)
		a.answer = open.answer
		call := hold(background, p, "x")
		pass(2 * time.Minute)
		require.Equal(t, 1, p.Stats().InUse)
		close(open)
		require.NoError(t, <-call)
		synctest.Wait()
		require.Zero(t, p.Stats().Open)
		require.Equal(t, serialclient.PoolEvictions{Old: 1}, p.Stats().Evicted)
		poolCall(t, p, "y")
	})
}

// TestPoolServerThatDoesNotDescribeItself: what is no description is an answer all the same.
func TestPoolServerThatDoesNotDescribeItself(t *testing.T) {
	for name, greet := range map[string]script{
		"unknown task":   func(p *peer) { p.error(250) },
		"no description": func(p *peer) { p.ok("what?") },
		"nothing":        func(p *peer) { p.ok("") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, a := onePool(t)
				a.greet = greet
				poolCall(t, p, "x")
				require.Zero(t, p.Stats().DialFailures)
				pass(serialclient.DefaultIdleTimeout - 1)
				require.Equal(t, 1, p.Stats().Open)
				pass(1)
				require.Equal(t, 0, p.Stats().Open, fmt.Sprint(p.Stats()))
			})
		})
	}
}
