package serialclient_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

// forever makes the pauses of addresses longer than a test, but in one run of millions.
var forever = serialclient.WithBackoff(1e6*time.Hour, 1e6*time.Hour)

// patient is the default.
var patient = serialclient.WithPatience(0)

// TestPoolRetriesRest: while each server has just ended a connection retries wait, within patience and the context; a
// call that finds its idle connection ended does not, nor does any while an address is in no pause.
func TestPoolRetriesRest(t *testing.T) {
	t.Run("patience", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, a := onePool(t, forever, serialclient.WithPatience(time.Second))
			a.answer = saysGoodbye
			begin := time.Now()
			_, err := p.Call(background, 4, nil)
			failure(t, err, 4, serialclient.NotRun, serialclient.ErrTooManyAttempts)
			require.Equal(t, 2*time.Second, time.Since(begin), "before the second and the third")
			require.Equal(t, uint64(2), p.Stats().Retries)
		})
	})
	t.Run("pause", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, a := onePool(t, patient)
			a.answer = saysGoodbye
			begin := time.Now()
			p.Call(background, 4, nil)
			require.Positive(t, time.Since(begin))
			require.LessOrEqual(t, time.Since(begin), 2*serialclient.DefaultBackoff)
		})
	})
	t.Run("context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, a := onePool(t, forever, patient)
			a.answer = saysGoodbye
			ctx, cancel := context.WithTimeout(background, time.Second)
			defer cancel()
			begin := time.Now()
			_, err := p.Call(ctx, 4, nil)
			failure(t, err, 4, serialclient.NotRun, context.DeadlineExceeded)
			require.Equal(t, time.Second, time.Since(begin))
			require.Zero(t, p.Stats().Retries, "none was made")
		})
	})
	t.Run("close", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, a := onePool(t, forever, patient)
			a.answer = saysGoodbye
			call := make(chan error, 1)
			go func() {
				_, err := p.Call(background, 4, nil)
				call <- err
			}()
			synctest.Wait()
			begin := time.Now()
			p.Close()
			failure(t, <-call, 4, serialclient.NotRun, serialclient.ErrPoolClosed)
			require.Zero(t, time.Since(begin))
		})
	})
	t.Run("another address", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHosts(t, "a", "b")
			h.all["a"].answer = saysGoodbye
			p := h.pool([]string{"a", "b"}, forever, patient)
			begin := time.Now()
			poolCall(t, p, "x")
			require.Zero(t, time.Since(begin))
		})
	})
}

// TestPoolErrorOfOneAttempt: it names its address.
func TestPoolErrorOfOneAttempt(t *testing.T) {
	for name, answer := range map[string]func(*peer, serial.TaskCode, []byte){
		"unknown": hangsUp,
		"failed":  func(p *peer, _ serial.TaskCode, _ []byte) { p.error(7) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, a := onePool(t)
				a.answer = answer
				_, err := p.Call(background, 4, nil)
				var e *serialclient.Error
				require.True(t, errors.As(err, &e))
				require.Equal(t, "a", e.Address)
				require.Contains(t, err.Error(), " at a: ")
			})
		})
	}
}

// TestPoolRetryThatIsNotMade: is not counted, and the budget has it back.
func TestPoolRetryThatIsNotMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t, serialclient.WithRetryBudget(0, 0), serialclient.WithMaxConnections(1, 1),
			serialclient.WithBackoff(time.Hour, time.Hour))
		a.answer = func(p *peer, _ serial.TaskCode, _ []byte) {
			a.set(func() { a.refuse = errRefused })
			p.goodbye()
			p.Close()
		}
		for range 10 { // as many as there is a budget for, and more
			a.set(func() { a.refuse = nil })
			_, err := p.Call(background, 4, nil)
			require.ErrorIs(t, err, serialclient.ErrUnreachable)
			require.NotErrorIs(t, err, serialclient.ErrRetryBudget)
			pass(time.Hour)
		}
		require.Zero(t, p.Stats().Retries+p.Stats().RetriesDenied)
	})
}

// TestPoolRestEndsWithAnIdleConnection: a retry that rests takes a connection that another call gives back, or that was
// being made, at once.
func TestPoolRestEndsWithAnIdleConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t, forever, patient)
		g := make(gate)
		refused := false
		a.answer = func(p *peer, task serial.TaskCode, m []byte) {
			switch {
			case string(m) == "held":
				g.answer(p, task, m)
			case !refused:
				refused = true
				saysGoodbye(p, task, m)
			default:
				p.ok(string(m))
			}
		}
		held := hold(background, p, "held")
		synctest.Wait()
		begin := time.Now()
		rests := hold(background, p, "refused once")
		pass(time.Second)
		close(g)
		require.NoError(t, <-held)
		require.NoError(t, <-rests)
		require.Equal(t, time.Second, time.Since(begin))
	})
}
