package serialdaemon_test

import (
	"context"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
)

// Signs of life are given twice as often as wanted, while the daemon is healthy, until it has stopped.
func TestWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sick atomic.Bool
		d := run(t, context.Background(), func(g *daemon) {
			g.Tell(g.tell, 10*time.Second, nil)
			g.Healthy = func() error {
				if sick.Load() {
					return errBroken
				}
				return nil
			}
			g.StopDelay = time.Minute
		})
		require.ElementsMatch(t, []string{ready, alive}, d.told())
		pass(14 * time.Second)
		require.Equal(t, []string{alive, alive}, d.told())
		sick.Store(true)
		pass(10 * time.Second)
		require.Empty(t, d.told())
		sick.Store(false)
		pass(2 * time.Second)
		require.Equal(t, []string{alive}, d.told())
		d.signal(syscall.SIGTERM)
		<-d.end
		require.Len(t, d.told(), 1+12, "one STOPPING, and life to the end")
	})
}

// A health check that hangs gives no signs of life, does not keep the process, and is not begun again.
func TestHealthThatHangs(t *testing.T) {
	for range 20 { // the ticker and the end are there at the same time
		synctest.Test(t, func(t *testing.T) {
			d := run(t, context.Background(), func(g *daemon) {
				g.Tell(g.tell, 10*time.Second, nil)
				g.Healthy = func() error { <-time.After(time.Hour); return nil }
			})
			pass(time.Minute)
			require.Equal(t, []string{ready}, d.told())
			d.signal(syscall.SIGTERM)
			require.Equal(t, ending{nil, time.Minute + serialdaemon.HookTimeout}, <-d.end)
			pass(time.Hour)
			require.Equal(t, []string{stopping}, d.told(), "nor is a sign given when it is over")
		})
	}
}

// Without systemd, or with one that does not work, the daemon does.
func TestNoSystemd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := run(t, context.Background(), func(g *daemon) {
			g.Tell(func(string) error { return errBroken }, 0, errBroken)
		})
		echoes(t, d.l.dial(t))
		d.signal(syscall.SIGTERM)
		require.NoError(t, (<-d.end).err)
	})
}
