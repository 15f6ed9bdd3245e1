package serialclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

// attemptsOf returns the attempts that err lists.
func attemptsOf(t testing.TB, err error) []serialclient.Attempt {
	t.Helper()
	var e *serialclient.AttemptsError
	require.ErrorAs(t, err, &e)
	return e.Attempts
}

// TestPoolMovesWhatDidNotRun: to the next address, and there it runs once.
func TestPoolMovesWhatDidNotRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(t, "a", "b")
		h.all["a"].answer = saysGoodbye
		p := h.pool([]string{"a", "b"})
		poolCall(t, p, "x")
		_, refused := h.all["a"].seen()
		require.Equal(t, []string{"x"}, refused)
		_, ran := h.all["b"].seen()
		require.Equal(t, []string{"x"}, ran)
		synctest.Wait()
		s := p.Stats()
		require.Equal(t, []uint64{1, 1, 0, 0}, []uint64{s.Calls, s.Retries, s.Moves, s.RetriesDenied})
		require.Equal(t, serialclient.PoolEvictions{Goodbye: 1}, s.Evicted)
	})
}

// TestPoolAttemptsAreBounded: the last one that is allowed is made, and no further one.
func TestPoolAttemptsAreBounded(t *testing.T) {
	for n, want := range map[int]int{0: serialclient.DefaultAttempts, 1: 1, 2: 2, 5: 5} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHosts(t, "a", "b")
				h.all["a"].answer, h.all["b"].answer = saysGoodbye, saysGoodbye
				p := h.pool([]string{"a", "b"}, serialclient.WithAttempts(n))
				_, err := p.Call(background, 4, []byte("x"))
				failure(t, err, 4, serialclient.NotRun, serialclient.ErrTooManyAttempts)
				require.ErrorIs(t, err, serialclient.ErrGoodbye)
				attempts := attemptsOf(t, err)
				require.Len(t, attempts, want)
				for i, a := range attempts {
					require.Equal(t, serialclient.Attempt{Address: string("ab"[i%2]), Outcome: serialclient.NotRun, Err: serialclient.ErrGoodbye}, a)
				}
				_, a := h.all["a"].seen()
				_, b := h.all["b"].seen()
				require.Len(t, append(a, b...), want)
				require.Equal(t, uint64(want-1), p.Stats().Retries)
			})
		})
	}
}

// TestPoolLastAttempt: one that succeeds is a success.
func TestPoolLastAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t)
		left := serialclient.DefaultAttempts - 1
		a.answer = func(p *peer, task serial.TaskCode, m []byte) {
			if left--; left >= 0 {
				saysGoodbye(p, task, m)
				return
			}
			p.ok(string(m))
		}
		poolCall(t, p, "x")
		require.Equal(t, uint64(2), p.Stats().Retries)
	})
}

// TestPoolConnectionsThatEndedWhileIdleAreNoAttempts: as many as there are.
func TestPoolConnectionsThatEndedWhileIdleAreNoAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t, serialclient.WithAttempts(1), serialclient.WithRetryBudget(0, 0),
			serialclient.WithMaxConnections(10, 10))
		open := make(gate)
		a.answer = open.answer
		var calls []<-chan error
		for range 10 {
			calls = append(calls, hold(background, p, "x"))
		}
		synctest.Wait()
		close(open)
		for _, call := range calls {
			require.NoError(t, <-call)
		}
		synctest.Wait()
		idle := p.Stats().Idle
		require.Equal(t, 10, idle)
		for _, peer := range a.peers {
			peer.goodbye()
			require.NoError(t, peer.Conn.Close())
		}
		again := make(gate)
		a.set(func() { a.answer = again.answer })
		for i := range calls { // so many that each connection is tried
			calls[i] = hold(background, p, "y")
		}
		synctest.Wait()
		close(again)
		for _, call := range calls {
			require.NoError(t, <-call)
		}
		synctest.Wait()
		s := p.Stats()
		require.Equal(t, uint64(idle), s.Moves)
		require.Equal(t, serialclient.PoolEvictions{Goodbye: uint64(idle)}, s.Evicted)
		require.Zero(t, s.Retries+s.RetriesDenied)
	})
}

// TestPoolRetryBudget: it begins full, and then there are as many retries as it says.
func TestPoolRetryBudget(t *testing.T) {
	const connections = 3
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(t, "a", "b")
		h.all["a"].answer, h.all["b"].answer = saysGoodbye, saysGoodbye
		p := h.pool([]string{"a", "b"}, serialclient.WithAttempts(2), serialclient.WithRetryBudget(0.25, 4),
			serialclient.WithMaxConnections(connections, connections), serialclient.WithDialLimit(1000, 1000))
		refused := func() error {
			_, err := p.Call(background, 1, nil)
			return err
		}
		for range 4*10 + 2*connections {
			failure(t, refused(), 1, serialclient.NotRun, serialclient.ErrTooManyAttempts)
		}
		for range 2 {
			err := refused()
			failure(t, err, 1, serialclient.NotRun, serialclient.ErrRetryBudget)
			require.ErrorIs(t, err, serialclient.ErrGoodbye)
			require.Len(t, attemptsOf(t, err), 1)
		}
		require.Equal(t, uint64(2), p.Stats().RetriesDenied)
		require.Equal(t, uint64(46), p.Stats().Retries)

		pass(time.Second/4 - 1)
		failure(t, refused(), 1, serialclient.NotRun, serialclient.ErrRetryBudget)
		pass(1) // a fourth of a second brings a retry
		failure(t, refused(), 1, serialclient.NotRun, serialclient.ErrTooManyAttempts)
		failure(t, refused(), 1, serialclient.NotRun, serialclient.ErrRetryBudget)
	})
}

// TestPoolAnswersFillTheRetryBudget: by the share of each, and an error code is an answer.
func TestPoolAnswersFillTheRetryBudget(t *testing.T) {
	for name, answer := range map[string]func(p *peer, task serial.TaskCode, m []byte){
		"OK":    nil,
		"Error": func(p *peer, _ serial.TaskCode, _ []byte) { p.error(9) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, a := onePool(t, serialclient.WithAttempts(2), serialclient.WithRetryBudget(0.25, 0),
					serialclient.WithMaxConnections(1, 1), serialclient.WithMaxIdle(-1), serialclient.WithDialLimit(1000, 1000))
				refused := func(want error) {
					a.set(func() { a.answer = saysGoodbye })
					_, err := p.Call(background, 1, nil)
					failure(t, err, 1, serialclient.NotRun, want)
				}
				answered := func() {
					a.set(func() { a.answer = answer })
					_, err := p.Call(background, 1, nil)
					require.Equal(t, answer == nil, err == nil)
				}
				refused(serialclient.ErrTooManyAttempts)
				refused(serialclient.ErrTooManyAttempts)
				refused(serialclient.ErrRetryBudget)
				for range 3 {
					answered()
				}
				refused(serialclient.ErrRetryBudget)
				answered()
				refused(serialclient.ErrTooManyAttempts)
				refused(serialclient.ErrRetryBudget)
				for range 100 {
					answered()
				}
				refused(serialclient.ErrTooManyAttempts) // no more is kept than there was
				refused(serialclient.ErrTooManyAttempts)
				refused(serialclient.ErrRetryBudget)
			})
		})
	}
}

// TestPoolUnknownIsNotMadeAgain: unless the call is marked.
func TestPoolUnknownIsNotMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(t, "a", "b")
		h.all["a"].answer = hangsUp
		p := h.pool([]string{"a", "b"})
		_, err := p.Call(background, 6, []byte("x"))
		failure(t, err, 6, serialclient.Unknown, io.ErrUnexpectedEOF)
		require.Equal(t, io.ErrUnexpectedEOF, err.(*serialclient.Error).Err, "as the Client says")
		_, tasks := h.all["b"].seen()
		require.Empty(t, tasks)
		require.Equal(t, serialclient.PoolEvictions{Broken: 1}, p.Stats().Evicted)
	})
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(t, "a", "b")
		h.all["a"].answer = hangsUp
		p := h.pool([]string{"a", "b"})
		answer, err := p.Call(background, 6, []byte("x"), serialclient.Idempotent)
		require.NoError(t, err)
		require.Equal(t, "x", string(answer))
		require.Equal(t, uint64(1), p.Stats().Retries)
	})
}

// TestPoolOutcomeOfSeveralAttempts: NotRun only if all are, and what was answered is answered.
func TestPoolOutcomeOfSeveralAttempts(t *testing.T) {
	fails := func(p *peer, _ serial.TaskCode, _ []byte) { p.error(7) }
	type answers []func(p *peer, task serial.TaskCode, m []byte)
	for name, c := range map[string]struct {
		answers answers
		outcome serialclient.Outcome
		causes  []error
	}{
		"Goodbye, end":          {answers{saysGoodbye, hangsUp, hangsUp}, serialclient.Unknown, []error{serialclient.ErrGoodbye, io.ErrUnexpectedEOF}},
		"end, Goodbye":          {answers{hangsUp, saysGoodbye, saysGoodbye}, serialclient.Unknown, []error{serialclient.ErrGoodbye, io.ErrUnexpectedEOF}},
		"Goodbye, Goodbye":      {answers{saysGoodbye, saysGoodbye, saysGoodbye}, serialclient.NotRun, []error{serialclient.ErrGoodbye}},
		"Goodbye, Error":        {answers{saysGoodbye, fails}, serialclient.Failed, []error{serialclient.ErrGoodbye}},
		"end, Error":            {answers{hangsUp, fails}, serialclient.Failed, []error{io.ErrUnexpectedEOF}},
		"end, end, then no one": {answers{hangsUp, hangsUp, hangsUp}, serialclient.Unknown, []error{serialclient.ErrTooManyAttempts}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, a := onePool(t)
				next := 0
				a.answer = func(p *peer, task serial.TaskCode, m []byte) {
					next++
					c.answers[next-1](p, task, m)
				}
				_, err := p.Call(background, 3, nil, serialclient.Idempotent)
				for _, cause := range c.causes {
					failure(t, err, 3, c.outcome, cause)
				}
				require.Len(t, attemptsOf(t, err), len(c.answers))
				var coder serial.ErrorCoder
				require.Equal(t, c.outcome == serialclient.Failed, errors.As(err, &coder))
			})
		})
	}
}

// TestPoolWhatIsNotMadeAgain although it is marked.
func TestPoolWhatIsNotMadeAgain(t *testing.T) {
	t.Run("an answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, a := onePool(t)
			a.answer = func(p *peer, _ serial.TaskCode, _ []byte) { p.error(252) }
			_, err := p.Call(background, 3, nil, serialclient.Idempotent)
			require.Equal(t, &serialclient.Error{Task: 3, Outcome: serialclient.Failed, Err: &serial.Error{Code: 252}, Address: "a"}, err)
			_, tasks := a.seen()
			require.Len(t, tasks, 1)
			require.Equal(t, 1, p.Stats().Idle)
		})
	})
	t.Run("a response over the limit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, a := onePool(t, serialclient.WithClientOptions(serialclient.WithMaxResponse(9)))
			poolCall(t, p, "just nine")
			a.set(func() { a.answer = func(p *peer, _ serial.TaskCode, _ []byte) { p.ok("these: ten") } })
			_, err := p.Call(background, 3, nil, serialclient.Idempotent)
			failure(t, err, 3, serialclient.Unknown, serialclient.ErrTooLarge)
			_, tasks := a.seen()
			require.Len(t, tasks, 2)
		})
	})
	t.Run("a cancelled call", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, a := onePool(t)
			open := make(gate)
			a.answer = open.answer
			ctx, cancel := context.WithTimeout(background, time.Second)
			defer cancel()
			_, err := p.Call(ctx, 3, nil, serialclient.Idempotent)
			require.Equal(t, &serialclient.Error{Task: 3, Outcome: serialclient.Unknown, Err: context.DeadlineExceeded, Address: "a"}, err)
			require.Zero(t, p.Stats().Retries)
			_, tasks := a.seen()
			require.Len(t, tasks, 1)
			close(open)
		})
	})
}

// TestPoolConnectionOfAnAbandonedCall is used again once the response was read, and not before.
func TestPoolConnectionOfAnAbandonedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t, serialclient.WithMaxConnections(1, 1))
		open := make(gate)
		a.answer = open.answer
		ctx, cancel := context.WithCancel(background)
		call := hold(ctx, p, "abandoned")
		synctest.Wait()
		cancel()
		failure(t, <-call, 1, serialclient.Unknown, context.Canceled)
		synctest.Wait()
		s := p.Stats()
		require.Equal(t, []int{1, 0, 1}, []int{s.Open, s.Idle, s.InUse})
		next := hold(background, p, "next")
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Waiting)
		close(open)
		require.NoError(t, <-next)
		require.Equal(t, uint64(1), p.Stats().Dials)
	})
}

// TestPoolConnectionWhoseAbandonedResponseTakesTooLong is replaced.
func TestPoolConnectionWhoseAbandonedResponseTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t, serialclient.WithMaxConnections(1, 1))
		a.answer = make(gate).answer
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		failure(t, <-hold(ctx, p, "abandoned"), 1, serialclient.Unknown, context.DeadlineExceeded)
		a.set(func() { a.answer = nil })
		begin := time.Now()
		poolCall(t, p, "next")
		require.Equal(t, 5*time.Second, time.Since(begin))
		require.Equal(t, serialclient.PoolEvictions{Broken: 1}, p.Stats().Evicted)
	})
}

// TestPoolRefusedCallGoesElsewhere: a call that was refused waits for another address rather than to use
// an idle connection to the one that has refused it; but if there is no other, it does.
func TestPoolRefusedCallGoesElsewhere(t *testing.T) {
	for _, other := range []string{"up", "slow", "refuses", "hangs"} {
		t.Run(other, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHosts(t, "a", "b")
				a, b := h.all["a"], h.all["b"]
				b.refuse = errRefused
				p := h.pool([]string{"a", "b"}, serialclient.WithBackoff(time.Second, time.Second))
				var streams []*serialclient.PoolStream
				for range 3 {
					s, err := p.Stream(background, 1, nil)
					require.NoError(t, err)
					require.NoError(t, s.Finish())
					streams = append(streams, s)
				}
				for _, s := range streams {
					require.NoError(t, s.Close())
				}
				synctest.Wait()
				require.Equal(t, 3, p.Stats().Addresses[0].Idle)
				pass(time.Second) // b may be tried again
				slow := make(chan struct{})
				b.set(func() {
					switch other {
					case "up":
						b.refuse = nil
					case "slow":
						b.refuse, b.greet = nil, func(p *peer) { <-slow; p.ok("") }
					case "hangs":
						b.refuse, b.hang = nil, true
					}
				})
				first := true
				a.set(func() {
					a.answer = func(p *peer, task serial.TaskCode, m []byte) {
						if first {
							first = false
							saysGoodbye(p, task, m)
							return
						}
						p.ok("a")
					}
				})
				begin := time.Now()
				time.AfterFunc(200*time.Millisecond, func() { close(slow) })
				answer, err := p.Call(background, 1, []byte("b"))
				require.NoError(t, err)
				want := map[string]struct {
					answer string
					after  time.Duration
				}{
					"up": {"b", 0}, "slow": {"b", 200 * time.Millisecond}, "refuses": {"a", 0}, "hangs": {"a", 250 * time.Millisecond},
				}[other]
				require.Equal(t, want.answer, string(answer))
				require.Equal(t, want.after, time.Since(begin))
				<-slow
			})
		})
	}
}
