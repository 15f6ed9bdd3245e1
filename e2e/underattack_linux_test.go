package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialserver"
)

var (
	attackers   = flag.Int("attackers", 300, "attackers of the tests under attack")
	attackTime  = flag.Duration("attack.time", 2*time.Second, "how long good clients work under an attack")
	attackSlow  = flag.Duration("attack.window", 2*time.Second, "the window of the minimum rate for slow attackers")
	goodClients = flag.Int("attack.good", 50, "good clients")
)

// good has so many good clients work for a while, and returns how long their calls took, in order. None fails.
func good(t *testing.T, address string, d time.Duration) []time.Duration {
	t.Helper()
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	over, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	for range *goodClients {
		all.Go(func() {
			c, err := serialclient.Dial(context.Background(), "tcp", address, nil)
			if err != nil {
				t.Errorf("good client: %v", err)
				return
			}
			defer c.Close()
			var own []time.Duration
			message := bytes.Repeat([]byte("good"), 16)
			for tick := time.NewTicker(5 * time.Millisecond); over.Err() == nil; <-tick.C {
				begin := time.Now()
				answer, err := c.Call(context.Background(), echoTask, message)
				own = append(own, time.Since(begin))
				if err != nil || !bytes.Equal(answer, message) {
					t.Errorf("good client: %v after %v", err, time.Since(begin))
					break
				}
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
		})
	}
	all.Wait()
	slices.Sort(took)
	require.NotEmpty(t, took)
	return took
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// until asks a child until what it says is right. It is the test's timeout that ends it otherwise.
func until[T any](c *child, right func(T) bool) T {
	c.t.Helper()
	for {
		var state T
		c.ask(&state)
		if right(state) {
			return state
		}
		<-time.After(20 * time.Millisecond) // between two questions
	}
}

// TestSlowClients: many clients that drip their request, or drip-read their answer, cost the good ones nothing, and
// each is gone when its window is over. A reader has a window for what fits into the kernel.
func TestSlowClients(t *testing.T) {
	srv := startChild(t, "server", serverArgs{MinRateWindow: *attackSlow, SocketBuffer: 16 << 10})
	before := good(t, srv.ready, *attackTime)
	a := startChild(t, "attacker", attackerArgs{Address: srv.ready, Clients: *attackers, How: "slow", Every: *attackSlow * 2 / 5})
	begun := until(a, func(s attackerState) bool { return s.Connected+s.Failed == int64(*attackers) })
	require.Zero(t, begun.Failed)
	var atFirst, atLast serverState
	srv.ask(&atFirst)
	during := good(t, srv.ready, *attackTime)
	srv.ask(&atLast)
	end := until(srv, func(s serverState) bool { return s.Open == 0 })
	gone := end.Closed[serialserver.ClosedRead] + end.Closed[serialserver.ClosedWrite]
	require.EqualValues(t, *attackers, gone, "all were found too slow: %v", end.Closed)
	t.Logf("%d attackers, a byte every %v, a window of %v: the last that dripped was gone after %v, the last that drip-read after %v",
		*attackers, *attackSlow*2/5, *attackSlow, end.Oldest[serialserver.ClosedRead], end.Oldest[serialserver.ClosedWrite])
	t.Logf("%d good clients: p50 %v and p99 %v before, %v and %v during, p99 ratio %.2f; %d and %d calls, no error; the server used %.0f %% of a CPU during", *goodClients,
		quantile(before, .5), quantile(before, .99), quantile(during, .5), quantile(during, .99),
		float64(quantile(during, .99))/float64(quantile(before, .99)), len(before), len(during),
		100*float64(atLast.CPU-atFirst.CPU)/float64(*attackTime))
}

// TestEndlessSenders: a process with a memory limit outlives many clients that send without an end, as fast as they
// can, to a task that discards, one that wants its message whole, and one that answers it.
func TestEndlessSenders(t *testing.T) {
	const limit = 512 << 20
	srv := startChild(t, "server", serverArgs{SocketBuffer: 16 << 10}, "GOMEMLIMIT=512MiB")
	a := startChild(t, "attacker", attackerArgs{Address: srv.ready, Clients: *attackers, How: "endless"})
	until(a, func(s attackerState) bool { return s.Connected+s.Failed >= int64(*attackers) })
	took := good(t, srv.ready, *attackTime)
	var sent attackerState
	a.ask(&sent)
	var state serverState
	srv.ask(&state)
	t.Logf("%d attackers sent %d MiB in %d connections; the server had at most %d MiB resident; good calls: %d, p99 %v, no error",
		*attackers, sent.Bytes>>20, sent.Connected, state.Peak>>20, len(took), quantile(took, .99))
	require.NotZero(t, sent.Bytes)
	require.Less(t, state.Peak, int64(2*limit), "which the limit of the runtime, a soft one, is far below")
}

// dialAgain dials until somebody answers, with little time for each attempt: one that finds the backlog full is made again by
// the kernel only after a second, and then after two.
func dialAgain(t *testing.T, address string) *serialclient.Client {
	t.Helper()
	for {
		conn, err := net.DialTimeout("tcp", address, 20*time.Millisecond)
		if err == nil {
			return serialclient.New(conn, nil)
		}
		var late net.Error
		require.True(t, errors.As(err, &late) && late.Timeout(), err)
	}
}

// TestStarvedOfDescriptors: a server that has no descriptors left does not spin, and goes on by itself when there
// are some again.
func TestStarvedOfDescriptors(t *testing.T) {
	const descriptors = 256
	srv := startChild(t, "server", serverArgs{Descriptors: descriptors})
	a := startChild(t, "attacker", attackerArgs{Address: srv.ready, Clients: max(*attackers, 2*descriptors), How: "idle"})
	starved := until(srv, func(s serverState) bool { return s.Open >= descriptors-20 })
	begin := time.Now()
	<-time.After(*attackTime) // while it starves
	var after serverState
	srv.ask(&after)
	lasted := time.Since(begin)
	var state attackerState
	a.ask(&state)
	require.Less(t, after.Open, descriptors)
	told := time.Now()
	a.stop()
	released := time.Now() // all of the attackers' connections are closed
	c := dialAgain(t, srv.ready)
	defer c.Close()
	_, err := c.Call(context.Background(), echoTask, nil)
	require.NoError(t, err)
	t.Logf("%d connected, %d failed; %d served while starved, with %.2f %% of a CPU over %v; recovered %v after the attackers had gone, "+
		"%v after they were told to",
		state.Connected, state.Failed, after.Open, 100*float64(after.CPU-starved.CPU)/float64(lasted), lasted, time.Since(released), time.Since(told))
}
