package serialclient_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

// goodbyeOnce says Goodbye to the first call of a message, and echoes the others.
func goodbyeOnce(message string) func(p *peer, task serial.TaskCode, m []byte) {
	first := make(chan struct{}, 1)
	first <- struct{}{}
	return func(p *peer, task serial.TaskCode, m []byte) {
		if string(m) == message {
			select {
			case <-first:
				saysGoodbye(p, task, m)
				return
			default:
			}
		}
		p.ok(string(m))
	}
}

// movable returns a pool of b and a, of which a will say Goodbye to the call "moves" once.
func movable(t *testing.T, refuse error, opts ...serialclient.PoolOption) (*serialclient.Pool, *hosts) {
	h := newHosts(t, "a", "b")
	h.all["b"].refuse = refuse
	p := h.pool([]string{"b", "a"}, opts...)
	h.all["a"].set(func() { h.all["a"].answer = goodbyeOnce("moves") })
	return p, h
}

// A call that moves goes back to the address that it came from where the other one has failed and may not have the
// last connection: neither it nor Shutdown waits for ever.
func TestPoolMoveWithOneConnection(t *testing.T) {
	for name, opts := range map[string][]serialclient.PoolOption{
		"idle":    {serialclient.WithMaxConnections(1, 1)},
		"no idle": {serialclient.WithMaxConnections(1, 1), serialclient.WithMaxIdle(-1)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, _ := movable(t, errRefused, opts...)
				poolCall(t, p, "x") // b is found to be down, a is used
				pass(time.Minute)
				ctx, cancel := context.WithTimeout(background, time.Hour)
				defer cancel()
				moves := hold(ctx, p, "moves")
				synctest.Wait()
				require.NoError(t, p.Shutdown(ctx))
				require.NoError(t, <-moves)
			})
		})
	}
}

// Nor does it wait for an address that has all its connections in use, while later calls pass.
func TestPoolMoveWhileTheOtherIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := movable(t, nil, serialclient.WithMaxConnections(0, 1))
		s, err := p.Stream(background, 1, nil) // which has b
		require.NoError(t, err)
		defer s.Close()
		poolCall(t, p, "x")
		pass(time.Minute)
		ctx, cancel := context.WithTimeout(background, time.Hour)
		defer cancel()
		moves := hold(ctx, p, "moves")
		for range 10 {
			synctest.Wait()
			poolCall(t, p, "later")
		}
		require.NoError(t, <-moves)
		require.Zero(t, p.Stats().Waiting)
	})
}
