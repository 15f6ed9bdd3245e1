package serialdaemon_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// An application that ends the goroutine that it is called in ends nothing else: the process is ready, reloads again, and
// calls the other hooks.
func TestGoexitOfTheApplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reloads := 0
		d := run(t, context.Background(), func(d *daemon) {
			d.OnReady = func([]net.Addr) { runtime.Goexit() }
			d.Reload = func(context.Context) error {
				reloads++
				runtime.Goexit()
				return nil
			}
		})
		require.Equal(t, []string{ready}, d.told())
		hooks := 0
		d.OnStop(func(context.Context) error { hooks++; return errors.New("last") })
		d.OnStop(func(context.Context) error { runtime.Goexit(); return nil })
		d.signal(syscall.SIGHUP)
		d.signal(syscall.SIGHUP)
		require.Equal(t, 2, reloads)
		d.signal(syscall.SIGTERM)
		end := <-d.end
		require.ErrorContains(t, end.err, "last")
		require.Zero(t, end.after)
		require.Equal(t, 1, hooks)
	})
}
