package serialclient_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

func TestPoolUsesOneConnectionAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t)
		for i := range 10 {
			poolCall(t, p, fmt.Sprint(i))
		}
		dials, tasks := a.seen()
		require.Equal(t, 1, dials)
		require.Len(t, tasks, 10)
		s := p.Stats()
		require.Equal(t, uint64(10), s.Calls)
		require.Equal(t, uint64(1), s.Dials)
		require.Equal(t, []int{1, 1, 0, 0, 0}, []int{s.Open, s.Idle, s.InUse, s.Dialing, s.Waiting})
		require.Zero(t, s.Evicted.Total()+s.Retries+s.Moves+s.DialFailures+s.RetriesDenied)
		require.Equal(t, serialclient.PoolAddressStats{Address: "a", Open: 1, Idle: 1}, s.Addresses[0])
	})
}

func TestNewPoolRefusesBadAddresses(t *testing.T) {
	for _, addresses := range [][]string{nil, {}, {""}, {"a", ""}, {"a", "b", "a"}} {
		_, err := serialclient.NewPool("tcp", addresses, nil)
		require.ErrorContains(t, err, "serialclient: ", "%q", addresses)
	}
}

func TestPoolRefusesReservedCodes(t *testing.T) {
	p, a := onePool(t)
	_, err := p.Call(background, serial.TaskDisconnect, nil)
	failure(t, err, serial.TaskDisconnect, serialclient.NotRun, serialclient.ErrReservedCode)
	_, err = p.Stream(background, serial.TaskDescribe, nil)
	failure(t, err, serial.TaskDescribe, serialclient.NotRun, serialclient.ErrReservedCode)
	dials, _ := a.seen()
	require.Zero(t, dials)
	require.Zero(t, p.Stats().Calls)
}

func TestPoolCallWhoseContextIsDoneIsNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t)
		cause := errors.New("cause")
		ctx, cancel := context.WithCancelCause(background)
		cancel(cause)
		_, err := p.Call(ctx, 3, nil)
		failure(t, err, 3, serialclient.NotRun, cause)
		dials, _ := a.seen()
		require.Zero(t, dials)
	})
}

// TestPoolTakesAddressesInTurn: a caller by itself comes to each address as often, once there are connections.
func TestPoolTakesAddressesInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(t, "a", "b", "c")
		p := h.pool([]string{"a", "b", "c"})
		for range 33 {
			poolCall(t, p, "x")
			synctest.Wait() // what is made in the background is there
		}
		for name, host := range h.all {
			dials, tasks := host.seen()
			require.Equal(t, 1, dials, name)
			require.InDelta(t, 11, len(tasks), 2, name)
		}
	})
}

// TestPoolPrefersTheLeastLoaded: calls at the same time are spread, and where more have ended come more.
func TestPoolPrefersTheLeastLoaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(t, "a", "b", "c")
		short, long := make(gate), make(gate)
		for _, host := range h.all {
			host.answer = func(p *peer, task serial.TaskCode, m []byte) {
				g := long
				if string(m) == "short" {
					g = short
				}
				g.answer(p, task, m)
			}
		}
		p := h.pool([]string{"a", "b", "c"})
		var calls []<-chan error
		call := func(message string) {
			calls = append(calls, hold(background, p, message))
			synctest.Wait()
		}
		busy := func() (n []int) {
			for _, s := range p.Stats().Addresses {
				n = append(n, s.InUse)
			}
			return n
		}
		for i := range 12 {
			if i < 6 || i%3 == 0 {
				call("short")
			} else {
				call("long")
			}
		}
		require.Equal(t, []int{4, 4, 4}, busy())
		close(short)
		synctest.Wait()
		require.Equal(t, []int{0, 2, 2}, busy())
		call("long")
		call("long")
		require.Equal(t, []int{2, 2, 2}, busy())
		close(long)
		for _, call := range calls {
			require.NoError(t, <-call)
		}
	})
}

// TestPoolDoesNotConnectToAServerThatHasJustEndedAConnection, while there is another one.
func TestPoolDoesNotConnectToAServerThatHasJustEndedAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(t, "a", "b")
		h.all["a"].answer = saysGoodbye
		p := h.pool([]string{"a", "b"})
		for range 10 {
			poolCall(t, p, "x")
			synctest.Wait()
		}
		dials, _ := h.all["a"].seen()
		require.Equal(t, 1, dials)
		pass(serialclient.DefaultBackoff)
		poolCall(t, p, "x")
		synctest.Wait()
		dials, _ = h.all["a"].seen()
		require.Equal(t, 2, dials)
	})
}

// TestPoolIsShyOfAnAddress whose server has ended a connection, for a moment; but not of one that is not to
// blame.
func TestPoolIsShyOfAnAddress(t *testing.T) {
	for name, c := range map[string]struct {
		end func(t *testing.T, p *serialclient.Pool, a *host)
		shy bool
	}{
		"Goodbye": {func(t *testing.T, p *serialclient.Pool, a *host) {
			a.set(func() { a.answer = saysGoodbye })
		}, true},
		"end": {func(t *testing.T, p *serialclient.Pool, a *host) {
			a.set(func() { a.answer = hangsUp })
		}, true},
		"a response over the limit": {func(t *testing.T, p *serialclient.Pool, a *host) {
			a.set(func() { a.answer = func(p *peer, _ serial.TaskCode, _ []byte) { p.ok("far more than may be") } })
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHosts(t, "a", "b")
				a := h.all["a"]
				p := h.pool([]string{"a", "b"}, serialclient.WithClientOptions(serialclient.WithMaxResponse(10)))
				open := make(gate)
				a.answer, h.all["b"].answer = open.answer, open.answer
				var calls []<-chan error
				for range 8 {
					calls = append(calls, hold(background, p, "x"))
					synctest.Wait()
				}
				close(open)
				for _, call := range calls {
					require.NoError(t, <-call)
				}
				c.end(t, p, a)
				for p.Stats().Evicted.Total() == 0 { // one of two calls comes to a
					_, _ = p.Call(background, 1, nil)
					synctest.Wait()
				}
				a.set(func() { a.answer = nil })
				ran := func() int {
					_, before := a.seen()
					for range 10 {
						poolCall(t, p, "x")
						synctest.Wait()
					}
					_, after := a.seen()
					return len(after) - len(before)
				}
				require.Equal(t, c.shy, ran() == 0)
				pass(serialclient.DefaultBackoff)
				require.NotZero(t, ran())
			})
		})
	}
}

// TestPoolConnectionsAreBounded: the last one that may be is made, and one more is not.
func TestPoolConnectionsAreBounded(t *testing.T) {
	for name, limit := range map[string]struct{ total, perAddress, want int }{
		"total":                {5, 4, 5},
		"per address":          {100, 3, 6},
		"per address, default": {100, 0, 2 * serialclient.DefaultMaxPerAddress},
		"by default":           {0, 0, 2 * serialclient.DefaultMaxPerAddress},
		"one":                  {1, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHosts(t, "a", "b")
				open := make(gate)
				h.all["a"].answer, h.all["b"].answer = open.answer, open.answer
				p := h.pool([]string{"a", "b"}, serialclient.WithMaxConnections(limit.total, limit.perAddress),
					serialclient.WithDialLimit(1000, 1000))
				var calls []<-chan error
				for range limit.want + 1 {
					calls = append(calls, hold(background, p, "x"))
					synctest.Wait()
				}
				s := p.Stats()
				require.Equal(t, []int{limit.want, limit.want, 1}, []int{s.Open, s.InUse, s.Waiting})
				close(open)
				for _, call := range calls {
					require.NoError(t, <-call)
				}
				require.Equal(t, uint64(limit.want), p.Stats().Dials)
			})
		})
	}
}

// TestPoolWaitersAreBounded: as many callers as may wait do, and one more fails at once.
func TestPoolWaitersAreBounded(t *testing.T) {
	for n, want := range map[int]int{3: 3, 0: serialclient.DefaultMaxWaiting, 1: 1} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, a := onePool(t, serialclient.WithMaxConnections(1, 1), serialclient.WithMaxWaiting(n))
				open := make(gate)
				a.answer = open.answer
				var calls []<-chan error
				for range 1 + want {
					calls = append(calls, hold(background, p, "x"))
					synctest.Wait()
				}
				require.Equal(t, want, p.Stats().Waiting)
				_, err := p.Call(background, 5, nil)
				failure(t, err, 5, serialclient.NotRun, serialclient.ErrPoolFull)
				close(open)
				for _, call := range calls {
					require.NoError(t, <-call)
				}
			})
		})
	}
	t.Run("none", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, a := onePool(t, serialclient.WithMaxConnections(2, 2), serialclient.WithMaxWaiting(-1))
			open := make(gate)
			a.answer = open.answer
			calls := []<-chan error{hold(background, p, "x"), hold(background, p, "x")}
			synctest.Wait()
			_, err := p.Call(background, 5, nil)
			failure(t, err, 5, serialclient.NotRun, serialclient.ErrPoolFull)
			close(open)
			require.NoError(t, <-calls[0])
			require.NoError(t, <-calls[1])
		})
	})
}

// TestPoolServesCallersInTurn: in the order of their coming, and whoever gives up loses only its own turn.
func TestPoolServesCallersInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t, serialclient.WithMaxConnections(1, 1))
		open := make(gate)
		a.answer = open.answer
		ctx, cancel := context.WithCancel(background)
		var calls []<-chan error
		for i := range 10 {
			own := background
			if i == 4 {
				own = ctx
			}
			calls = append(calls, hold(own, p, fmt.Sprint(i)))
			synctest.Wait()
		}
		cancel()
		failure(t, <-calls[4], 1, serialclient.NotRun, context.Canceled)
		require.Equal(t, 8, p.Stats().Waiting)
		close(open)
		for i, call := range calls {
			if i != 4 {
				require.NoError(t, <-call)
			}
		}
		_, tasks := a.seen()
		require.Equal(t, []string{"0", "1", "2", "3", "5", "6", "7", "8", "9"}, tasks)
	})
}

// TestPoolConnectionGivenToOneWhoGaveUp: it is not lost.
func TestPoolConnectionGivenToOneWhoGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := onePool(t, serialclient.WithMaxConnections(1, 1))
		for range 200 {
			s, err := p.Stream(background, 1, nil)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(background)
			call := hold(ctx, p, "x")
			synctest.Wait()
			go cancel()
			_, err = s.ReadUint8()
			require.Error(t, err)
			require.NoError(t, s.Close())
			<-call
			synctest.Wait()
			require.Zero(t, p.Stats().Waiting)
			require.Zero(t, p.Stats().InUse)
		}
		poolCall(t, p, "y")
	})
}

// TestPoolKeepsSoManyIdle: at the limit none is closed, and of one more that which was idle for longest.
func TestPoolKeepsSoManyIdle(t *testing.T) {
	for _, c := range []struct{ option, calls, idle, surplus int }{
		{3, 3, 3, 0}, {3, 4, 3, 1}, {0, 16, 16, 0}, {0, 17, 16, 1}, {-1, 2, 0, 2},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, a := onePool(t, serialclient.WithMaxIdle(c.option))
				open := make(gate)
				a.answer = open.answer
				var calls []<-chan error
				for range c.calls {
					calls = append(calls, hold(background, p, "x"))
					synctest.Wait()
				}
				close(open)
				for _, call := range calls {
					require.NoError(t, <-call)
				}
				synctest.Wait()
				s := p.Stats()
				require.Equal(t, []int{c.idle, c.idle, c.surplus}, []int{s.Idle, s.Open, int(s.Evicted.Surplus)})
				require.Equal(t, s.Evicted.Surplus, s.Evicted.Total())
			})
		})
	}
}

// TestPoolOfTwoAddressesThatKeepsOneIdle does not make connections in order to close them.
func TestPoolOfTwoAddressesThatKeepsOneIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(t, "a", "b")
		p := h.pool([]string{"a", "b"}, serialclient.WithMaxIdle(1))
		for range 20 {
			poolCall(t, p, "x")
			synctest.Wait()
		}
		require.Equal(t, uint64(1), p.Stats().Dials)
	})
}
