package serialclient_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// TestPoolDialsAtOnce: so many attempts to connect to one address are under way, and one more is not.
func TestPoolDialsAtOnce(t *testing.T) {
	for n, want := range map[int]int{0: serialclient.DefaultDialsAtOnce, 1: 1, 7: 7} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHosts(t, "a", "b")
				h.all["a"].hang, h.all["b"].hang = true, true
				p := h.pool([]string{"a", "b"}, serialclient.WithDialLimit(n, 1000))
				for range 2*want + 1 {
					hold(background, p, "x")
					synctest.Wait()
				}
				s := p.Stats()
				require.Equal(t, []int{2 * want, 2*want + 1}, []int{s.Dialing, s.Waiting})
				require.Equal(t, []int{want, want}, []int{s.Addresses[0].Dialing, s.Addresses[1].Dialing})
			})
		})
	}
}

// TestPoolDialRate: so many attempts begin in a second, and one more only when its time has come.
func TestPoolDialRate(t *testing.T) {
	for n, want := range map[int]int{0: serialclient.DefaultDialRate, 5: 5} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, a := onePool(t, serialclient.WithDialLimit(1000, n), serialclient.WithMaxConnections(1000, 1000))
				a.answer = make(gate).answer
				for range want + 3 {
					hold(background, p, "x")
				}
				synctest.Wait()
				require.Equal(t, uint64(want), p.Stats().Dials, "at once")
				pass((time.Second+time.Duration(want)-1)/time.Duration(want) - 1)
				require.Equal(t, uint64(want), p.Stats().Dials, "a nanosecond before")
				pass(1)
				require.Equal(t, uint64(want)+1, p.Stats().Dials)
				pass(time.Second)
				require.Equal(t, uint64(want)+3, p.Stats().Dials)
			})
		})
	}
}

// TestPoolDialTimeout: an attempt ends when its time is over, be it the Dialer's or the server's first
// answer that takes so long.
func TestPoolDialTimeout(t *testing.T) {
	for name, prepare := range map[string]func(a *host){
		"Dialer":   func(a *host) { a.hang = true },
		"Describe": func(a *host) { a.greet = func(p *peer) { p.gone() } },
	} {
		for set, want := range map[time.Duration]time.Duration{0: serialclient.DefaultDialTimeout, time.Second: time.Second} {
			t.Run(fmt.Sprint(name, want), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, a := onePool(t, serialclient.WithDialTimeout(set))
					prepare(a)
					begin := time.Now()
					_, err := p.Call(background, 1, nil)
					failure(t, err, 1, serialclient.NotRun, serialclient.ErrUnreachable)
					require.ErrorIs(t, err, os.ErrDeadlineExceeded)
					require.Equal(t, want, time.Since(begin))
					require.Equal(t, uint64(1), p.Stats().DialFailures)
				})
			})
		}
	}
}

// TestPoolUnreachable: while no address can be tried calls fail at once, with each one's reason; after the
// pause they connect.
func TestPoolUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(t, "a", "b")
		other := errors.New("other reason")
		h.all["a"].refuse, h.all["b"].refuse = errRefused, other
		p := h.pool([]string{"a", "b"}, serialclient.WithBackoff(time.Second, time.Second))
		for range 5 {
			_, err := p.Call(background, 1, nil)
			failure(t, err, 1, serialclient.NotRun, serialclient.ErrUnreachable)
			require.ErrorIs(t, err, errRefused)
			require.ErrorIs(t, err, other)
			var attempts *serialclient.AttemptsError
			require.ErrorAs(t, err, &attempts)
			require.Len(t, attempts.Attempts, 2)
			require.Equal(t, "a", attempts.Attempts[0].Address)
			require.Equal(t, serialclient.NotRun, attempts.Attempts[0].Outcome)
			require.Equal(t, "serialclient: task 1 not run: serialclient: no address of the pool can be reached; "+
				"a not run: connecting: "+errRefused.Error()+"; b not run: connecting: other reason", err.Error())
		}
		dials, _ := h.all["a"].seen()
		require.Equal(t, 1, dials)
		require.Equal(t, uint64(2), p.Stats().DialFailures)
		retry := p.Stats().Addresses[1].RetryAt
		require.True(t, retry.After(time.Now()))
		require.Equal(t, 1, p.Stats().Addresses[1].Failures)
		require.ErrorIs(t, p.Stats().Addresses[1].LastError, other)
		h.all["b"].set(func() { h.all["b"].refuse = nil })
		if first := p.Stats().Addresses[0].RetryAt; first.Before(retry) {
			h.all["a"].set(func() { h.all["a"].hang = true })
		}
		pass(time.Until(retry) - 1)
		dials, _ = h.all["b"].seen()
		require.Equal(t, 1, dials, "a nanosecond before")
		pass(1)
		poolCall(t, p, "x")
		require.Zero(t, p.Stats().Addresses[1].Failures)
	})
}

// TestPoolPatience: a call waits for an address that comes back in time, and fails when its time is over.
func TestPoolPatience(t *testing.T) {
	for set, want := range map[time.Duration]time.Duration{0: serialclient.DefaultPatience, time.Second: time.Second} {
		t.Run(fmt.Sprint(want), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, a := onePool(t, serialclient.WithPatience(set), serialclient.WithBackoff(1e6*time.Hour, 1e6*time.Hour))
				a.refuse = errRefused
				begin := time.Now()
				early := hold(background, p, "early")
				synctest.Wait()
				pause := time.Until(p.Stats().Addresses[0].RetryAt)
				require.Greater(t, pause, 2*want, "but in one run of 360 million")
				pass(want / 2)
				late := hold(background, p, "late")
				pass(want/2 - 1)
				require.Equal(t, 2, p.Stats().Waiting)
				failure(t, <-early, 1, serialclient.NotRun, serialclient.ErrUnreachable)
				require.Equal(t, want, time.Since(begin))
				failure(t, <-late, 1, serialclient.NotRun, serialclient.ErrUnreachable)
				require.Equal(t, want/2+want, time.Since(begin))

				a.set(func() { a.refuse = nil })
				pass(time.Until(begin.Add(pause)) - want + 1)
				begin = time.Now()
				poolCall(t, p, "x")
				require.Equal(t, want-1, time.Since(begin))
			})
		})
	}
}

// TestPoolContextWhileUnreachable: the error says what was waited for.
func TestPoolContextWhileUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t, serialclient.WithPatience(time.Hour), serialclient.WithBackoff(1e6*time.Hour, 1e6*time.Hour))
		a.refuse = errRefused
		ctx, cancel := context.WithTimeout(background, time.Millisecond)
		defer cancel()
		_, err := p.Call(ctx, 1, nil)
		failure(t, err, 1, serialclient.NotRun, context.DeadlineExceeded)
		require.ErrorIs(t, err, errRefused)
	})
}

// pauses measures the pauses after n failures in a row.
func pauses(t *testing.T, n int, opts ...serialclient.PoolOption) (all []time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t, opts...)
		a.refuse = errRefused
		for range n {
			_, err := p.Call(background, 1, nil)
			require.ErrorIs(t, err, errRefused)
			pause := time.Until(p.Stats().Addresses[0].RetryAt)
			all = append(all, pause)
			pass(pause)
		}
		dials, _ := a.seen()
		require.Equal(t, n, dials)
	})
	return all
}

// TestPoolBackoff: the pauses are random in a range that doubles up to its limit.
func TestPoolBackoff(t *testing.T) {
	const runs, failures = 100, 10
	for name, c := range map[string]struct{ first, most, wantFirst, wantMost time.Duration }{
		"by default": {0, 0, serialclient.DefaultBackoff, serialclient.DefaultMaxBackoff},
		"as set":     {10 * time.Millisecond, 65 * time.Millisecond, 10 * time.Millisecond, 65 * time.Millisecond},
		"constant":   {time.Second, 1, time.Second, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var longest, shortest [failures]time.Duration
			for range runs {
				for i, pause := range pauses(t, failures, serialclient.WithBackoff(c.first, c.most)) {
					require.Positive(t, pause)
					longest[i] = max(longest[i], pause)
					if shortest[i] == 0 || pause < shortest[i] {
						shortest[i] = pause
					}
				}
			}
			within := c.wantFirst
			for i := range failures {
				require.LessOrEqual(t, longest[i], within, "failure %d", i+1)
				require.Greater(t, longest[i], within*8/10, "failure %d", i+1)
				require.Less(t, shortest[i], within*2/10, "failure %d", i+1)
				within = min(2*within, c.wantMost)
			}
		})
	}
}

// TestPoolTriesAFailedAddressOnceAtATime: however many callers wait.
func TestPoolTriesAFailedAddressOnceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t)
		a.refuse = errRefused
		_, err := p.Call(background, 1, nil)
		require.ErrorIs(t, err, errRefused)
		pass(serialclient.DefaultBackoff)
		a.set(func() { a.hang = true })
		for range 10 {
			hold(background, p, "x")
		}
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Dialing)
	})
}

// TestPoolWithoutAnAddressCostsNothing: one that refuses costs its callers no time, and one that does not answer
// a quarter of a second, once.
func TestPoolWithoutAnAddressCostsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*host)
		once    time.Duration
	}{
		"refuses":      {func(a *host) { a.refuse = errRefused }, 0},
		"hangs":        {func(a *host) { a.hang = true }, 250 * time.Millisecond},
		"says nothing": {func(a *host) { a.greet = func(p *peer) { p.gone() } }, 250 * time.Millisecond},
		"hangs up":     {func(a *host) { a.greet = func(p *peer) { p.Close() } }, 0}, // a listener that is closed
		"Goodbye":      {func(a *host) { a.greet = func(p *peer) { p.goodbye() } }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHosts(t, "a", "b", "c")
				c.prepare(h.all["a"])
				p := h.pool([]string{"a", "b", "c"})
				begin := time.Now()
				poolCall(t, p, "x")
				require.Equal(t, c.once, time.Since(begin))
				for range 200 {
					begin := time.Now()
					poolCall(t, p, "x")
					require.Zero(t, time.Since(begin))
					pass(100 * time.Millisecond)
				}
				dials, tasks := h.all["a"].seen()
				require.Empty(t, tasks)
				require.Greater(t, dials, 2, "it is tried again and again")
				require.Less(t, dials, 30, "after pauses")
				h.all["a"].set(func() { a := h.all["a"]; a.refuse, a.hang, a.greet = nil, false, nil })
				for range 150 {
					poolCall(t, p, "x")
					pass(100 * time.Millisecond)
				}
				_, tasks = h.all["a"].seen()
				require.NotEmpty(t, tasks, "and is back")
			})
		})
	}
}

// TestPoolLastConnectionIsForAHealthyAddress: an attempt at one that has failed does not take it.
func TestPoolLastConnectionIsForAHealthyAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(t, "a", "b")
		h.all["a"].refuse = errRefused
		p := h.pool([]string{"a", "b"}, serialclient.WithMaxConnections(2, 2), serialclient.WithMaxIdle(-1))
		poolCall(t, p, "x")
		pass(serialclient.DefaultBackoff)
		require.Equal(t, 1, p.Stats().Addresses[0].Failures)
		h.all["a"].set(func() { h.all["a"].hang = true })
		h.all["b"].set(func() {
			h.all["b"].answer = func(p *peer, _ serial.TaskCode, m []byte) { <-time.After(time.Second); p.ok(string(m)) }
		})
		begin := time.Now()
		first := hold(background, p, "x")
		synctest.Wait()
		second := hold(background, p, "y")
		require.NoError(t, <-first)
		require.NoError(t, <-second)
		require.Equal(t, time.Second, time.Since(begin))
	})
}

// TestPoolDialer: the Dialer is given what NewPool was, and its connection is used after
// what it does with it.
func TestPoolDialer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, other := serialtest.Pipe()
		peer := play(t, other, func(p *peer) {
			p.bytes('h', 'i')
			p.expect(serial.TaskDescribe, "")
			p.ok(describe(0))
			echoes(p)
		})
		p, err := serialclient.NewPool("net", []string{"addr"}, nil, serialclient.WithDialer(
			func(ctx context.Context, network, address string) (net.Conn, error) {
				require.Equal(t, "net addr", network+" "+address)
				deadline, ok := ctx.Deadline()
				require.True(t, ok)
				require.Equal(t, serialclient.DefaultDialTimeout, time.Until(deadline))
				_, err := conn.Write([]byte("hi"))
				return conn, err
			}))
		require.NoError(t, err)
		poolCall(t, p, "x")
		require.NoError(t, p.Close())
		<-peer.done
	})
}

// TestPoolBadDialer: a Dialer that returns nothing, or ends its goroutine, fails like any other.
func TestPoolBadDialer(t *testing.T) {
	for name, dial := range map[string]serialclient.Dialer{
		"nothing": func(context.Context, string, string) (net.Conn, error) { return nil, nil },
		"Goexit":  func(context.Context, string, string) (net.Conn, error) { runtime.Goexit(); return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			p, err := serialclient.NewPool("tcp", []string{"a"}, nil, serialclient.WithDialer(dial), serialclient.WithPatience(-1))
			require.NoError(t, err)
			_, err = p.Call(background, 1, nil)
			failure(t, err, 1, serialclient.NotRun, serialclient.ErrUnreachable)
			require.ErrorContains(t, err, "the Dialer returned no connection")
			require.Equal(t, uint64(1), p.Stats().DialFailures)
			require.NoError(t, p.Close())
		})
	}
}

// TestPoolAnswerToTheDialerIsNotTheCalls: an error code that it wraps is no answer to the call.
func TestPoolAnswerToTheDialerIsNotTheCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t)
		a.refuse = fmt.Errorf("handshake: %w", &serialclient.Error{Outcome: serialclient.Failed, Err: &serial.Error{Code: 7}})
		_, err := p.Call(background, 1, nil)
		failure(t, err, 1, serialclient.NotRun, serialclient.ErrUnreachable)
		var coder serial.ErrorCoder
		require.False(t, errors.As(err, &coder))
	})
}

// TestPoolByItself dials with a net.Dialer.
func TestPoolByItself(t *testing.T) {
	p, err := serialclient.NewPool("tcp", []string{"127.0.0.1:0"}, nil, serialclient.WithDialer(nil), serialclient.WithPatience(-1))
	require.NoError(t, err)
	_, err = p.Call(background, 1, nil)
	failure(t, err, 1, serialclient.NotRun, serialclient.ErrUnreachable)
	var op *net.OpError
	require.ErrorAs(t, err, &op)
	require.NoError(t, p.Close())
}
