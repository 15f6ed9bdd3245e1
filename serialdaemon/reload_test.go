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

// A reload that fails, or panics, changes nothing.
func TestReload(t *testing.T) {
	for name, does := range map[string]func() error{
		"works": func() error { return nil }, "fails": func() error { return errBroken }, "panics": func() error { panic("oh") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				called := 0
				d := run(t, context.Background(), func(g *daemon) {
					g.Reload = func(context.Context) error { called++; return does() }
				})
				d.told()
				d.signal(syscall.SIGHUP)
				require.Equal(t, 1, called)
				require.Equal(t, []string{reloads, ready}, d.told())
				require.True(t, d.Ready())
				d.signal(syscall.SIGHUP, syscall.SIGTERM)
				require.NoError(t, (<-d.end).err)
				require.Equal(t, 2, called)
			})
		})
	}
}

// While one reload goes on another one is kept, and no more than that. None begins after the stop, of which
// it learns by its context.
func TestReloadsFollowEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var called, ended atomic.Int32
		d := run(t, context.Background(), func(g *daemon) {
			g.Reload = func(ctx context.Context) error {
				require.Equal(t, ended.Load()+1, called.Add(1), "one at a time")
				select {
				case <-time.After(time.Second):
				case <-ctx.Done():
				}
				ended.Add(1)
				return nil
			}
		})
		d.signal(syscall.SIGHUP, syscall.SIGHUP, syscall.SIGHUP, syscall.SIGHUP)
		require.EqualValues(t, 1, called.Load())
		pass(5 * time.Second)
		require.EqualValues(t, 2, called.Load())
		d.signal(syscall.SIGHUP)
		d.told()
		answer := call(d.l.dial(t), taskSleep, "10s")
		d.signal(syscall.SIGTERM, syscall.SIGHUP)
		<-d.end
		require.NoError(t, <-answer)
		require.EqualValues(t, 3, ended.Load())
		require.Equal(t, []string{stopping}, d.told(), "systemd is not told of READY after STOPPING")
	})
}

// A Reload that does not mind its context holds the end of Wait up for a while only.
func TestReloadThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := run(t, context.Background(), func(g *daemon) {
			g.Reload = func(context.Context) error { <-time.After(time.Hour); return nil }
		})
		d.signal(syscall.SIGHUP, syscall.SIGTERM)
		require.Equal(t, ending{nil, serialdaemon.HookTimeout}, <-d.end)
		pass(time.Hour)
	})
}
