package serialdaemon_test

import (
	"context"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
)

// waits begins a Wait in a group in which nothing was started.
func waits(set ...func(*daemon)) *daemon {
	d := newDaemon(set...)
	ended := d.CloseOnAbort(context.Background())
	go func() { d.end <- ending{<-ended, time.Since(d.start)} }()
	synctest.Wait()
	return d
}

// A process in which nothing was started is not ready, nor does it reload as if it were. It is ready, once, with what is
// started first; what is started after a SIGUSR2 makes it ready again.
func TestReadyWhenSomethingIsStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ready []int
		d := waits(func(d *daemon) {
			d.OnReady = func(addrs []net.Addr) { ready = append(ready, len(addrs)) }
		})
		d.signal(syscall.SIGHUP)
		require.Empty(t, d.told())
		require.Empty(t, ready)
		for range 2 {
			for range 2 {
				_, _, err := d.Start(context.Background(), newServer(), newListener().endpoint())
				require.NoError(t, err)
				synctest.Wait()
			}
			require.Equal(t, []string{"READY=1"}, d.told())
			d.signal(syscall.SIGHUP)
			require.Equal(t, []string{reloads, "READY=1"}, d.told())
			d.signal(syscall.SIGUSR2)
			require.Len(t, d.told(), 1)
		}
		require.Equal(t, []int{1, 1}, ready)
		d.signal(syscall.SIGHUP)
		require.Equal(t, []string{reloads, "READY=1"}, d.told(), "systemd waits for the end of a reload")
		d.signal(syscall.SIGTERM)
		require.NoError(t, (<-d.end).err)
		require.Equal(t, []string{stopping}, d.told())
	})
}

// A Wait that begins during a Close, or after it, has nothing to be ready with.
func TestNotReadyDuringClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDaemon(func(d *daemon) {
			d.OnReady = func([]net.Addr) { panic("it is not") }
		})
		_, _, err := d.Start(context.Background(), d.server, d.l.endpoint())
		require.NoError(t, err)
		answer := call(d.l.dial(t), taskSleep, "10s")
		errs := d.Close()
		ended := d.CloseOnAbort(context.Background())
		require.Empty(t, all(errs))
		require.NoError(t, <-answer)
		require.NoError(t, <-ended)
		ended = d.CloseOnAbort(context.Background())
		synctest.Wait()
		d.signal(syscall.SIGTERM)
		require.NoError(t, <-ended)
		require.Equal(t, []string{stopping, stopping}, d.told())
	})
}

// Signals are minded while OnReady runs, and nobody is told that the process is ready when it stops.
func TestSignalsWhileOnReadyRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		reloaded := false
		d := run(t, context.Background(), func(d *daemon) {
			d.OnReady = func([]net.Addr) { <-release }
			d.Reload = func(context.Context) error { reloaded = true; return nil }
		})
		d.signal(syscall.SIGHUP)
		require.True(t, reloaded)
		require.Empty(t, d.told())
		d.signal(syscall.SIGTERM)
		require.True(t, d.l.isClosed())
		require.Equal(t, []string{stopping}, d.told())
		close(release)
		require.Equal(t, ending{}, <-d.end)
		require.Empty(t, d.told())
	})
	synctest.Test(t, func(t *testing.T) { // one that does not end is not waited for
		release := make(chan struct{})
		d := run(t, context.Background(), func(d *daemon) {
			d.OnReady = func([]net.Addr) { <-release }
		})
		d.signal(syscall.SIGTERM)
		require.Equal(t, ending{nil, serialdaemon.HookTimeout}, <-d.end)
		close(release)
		synctest.Wait()
		require.Equal(t, []string{stopping}, d.told())
	})
}

// A Reload that ends because its context does is not followed by READY=1.
func TestReloadThatEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := run(t, context.Background(), func(d *daemon) {
			d.Reload = func(ctx context.Context) error { <-ctx.Done(); return nil }
		})
		d.signal(syscall.SIGHUP, syscall.SIGTERM)
		require.NoError(t, (<-d.end).err)
		require.Equal(t, []string{ready, reloads, stopping}, d.told())
	})
}
