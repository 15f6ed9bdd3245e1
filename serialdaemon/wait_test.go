package serialdaemon_test

import (
	"context"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
)

const (
	cutGrace = 50 * time.Millisecond // serialserver's, for tasks that do not mind their context
	ready    = "READY=1"
	stopping = "STOPPING=1"
	reloads  = "RELOADING=1"
	alive    = "WATCHDOG=1"
)

func TestSignalDrains(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		synctest.Test(t, func(t *testing.T) {
			d := run(t, context.Background())
			require.Equal(t, []string{ready}, d.told())
			answer := call(d.l.dial(t), taskSleep, "10s")
			d.signal(s)
			require.True(t, d.l.isClosed())
			require.False(t, d.Ready())
			require.Equal(t, []string{stopping}, d.told())
			require.Equal(t, ending{nil, 10 * time.Second}, <-d.end)
			require.NoError(t, <-answer)
		})
	}
}

func TestDrainIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := run(t, context.Background())
		cut, deaf := call(d.l.dial(t), taskSleep, "1h"), call(d.l.dial(t), taskDeaf, "1h")
		d.signal(syscall.SIGTERM)
		end := <-d.end
		require.Equal(t, serialdaemon.DefaultDrainTimeout+cutGrace, end.after)
		require.ErrorIs(t, end.err, serialdaemon.ErrDrainTimeout)
		require.ErrorContains(t, end.err, "connections cut off: 2, of which tasks do not end: 1")
		require.Equal(t, serialdaemon.ExitCut, serialdaemon.ExitCode(end.err))
		require.Error(t, <-cut)
		require.Error(t, <-deaf)
		d.server.Wait()
	})
}

// A second signal stops at once, whatever the stop is doing.
func TestSecondSignal(t *testing.T) {
	for name, set := range map[string]func(*daemon){
		"drains": func(*daemon) {},
		"delays": func(g *daemon) { g.StopDelay = time.Hour },
		"hooks": func(g *daemon) {
			g.OnStop(func(ctx context.Context) error { <-ctx.Done(); return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := run(t, context.Background(), set)
				answer := call(d.l.dial(t), taskSleep, "1h")
				d.signal(syscall.SIGTERM)
				time.AfterFunc(time.Second, func() { d.signals <- syscall.SIGINT })
				end := <-d.end
				require.Equal(t, time.Second, end.after)
				require.ErrorIs(t, end.err, serialdaemon.ErrAborted)
				require.Equal(t, serialdaemon.ExitAborted, serialdaemon.ExitCode(end.err))
				require.Error(t, <-answer)
			})
		})
	}
}

// The order of a stop: not ready, the hooks from the latest on, the delay, and only then nobody is
// accepted any more.
func TestOrderOfAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		var d *daemon
		hook := func(name string) func(context.Context) error {
			return func(context.Context) error {
				order = append(order, name)
				require.False(t, d.Ready())
				require.Equal(t, []string{stopping}, d.told())
				d.tell(stopping)
				echoes(t, d.l.dial(t))
				return nil
			}
		}
		d = run(t, context.Background(), func(g *daemon) {
			g.StopDelay = time.Minute
			g.OnStop(hook("first"))
			g.OnStop(hook("second"))
		})
		d.told()
		d.signal(syscall.SIGTERM)
		require.Equal(t, []string{"second", "first"}, order)
		pass(time.Minute - 1)
		late := d.l.dial(t)
		echoes(t, late)
		answer := call(late, taskSleep, "1s")
		require.False(t, d.l.isClosed())
		pass(1)
		require.True(t, d.l.isClosed())
		require.NoError(t, <-answer)
		end := <-d.end
		require.NoError(t, end.err)
		require.Empty(t, all(d.Close()))
		require.Len(t, order, 2, "once")
	})
}

// Hooks can neither hold a stop up nor spoil it.
func TestBadHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		d := run(t, context.Background(), func(g *daemon) {
			g.OnStop(func(context.Context) error { <-release; return nil })
			g.OnStop(func(context.Context) error { panic("oh") })
			g.OnStop(func(context.Context) error { return errBroken })
		})
		d.signal(syscall.SIGTERM)
		end := <-d.end
		require.Equal(t, serialdaemon.HookTimeout, end.after)
		require.ErrorIs(t, end.err, errBroken)
		require.ErrorContains(t, end.err, "panic: oh")
		require.ErrorContains(t, end.err, "the time of the stop's hooks is over")
		require.Equal(t, serialdaemon.ExitFailure, serialdaemon.ExitCode(end.err))
		close(release)
	})
}

// USR2 drains, and the process goes on until it is told to stop.
func TestDrainWithoutExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := run(t, context.Background(), func(g *daemon) {
			g.DrainTimeout = time.Minute
		})
		d.told()
		cut := call(d.l.dial(t), taskSleep, "1h")
		d.signal(syscall.SIGUSR2)
		require.True(t, d.l.isClosed())
		require.Equal(t, []string{"STATUS=drained by SIGUSR2"}, d.told())
		pass(time.Hour)
		d.goesOn(t)
		require.Error(t, <-cut)
		d.signal(syscall.SIGUSR2, syscall.SIGHUP)
		d.goesOn(t)
		d.told()
		d.signal(syscall.SIGTERM)
		end := <-d.end
		require.Equal(t, []string{stopping}, d.told())
		require.ErrorIs(t, end.err, serialdaemon.ErrDrainTimeout, "what was cut off before is told of")
	})
}

// TERM during the drain of USR2 waits for that, and a second one does not.
func TestStopWhileDraining(t *testing.T) {
	for _, second := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			d := run(t, context.Background())
			answer := call(d.l.dial(t), taskSleep, "10s")
			d.signal(syscall.SIGUSR2, syscall.SIGTERM)
			d.goesOn(t)
			if second {
				d.signal(syscall.SIGTERM)
				end := <-d.end
				require.Zero(t, end.after)
				require.ErrorIs(t, end.err, serialdaemon.ErrAborted)
				require.Len(t, end.err.(interface{ Unwrap() []error }).Unwrap(), 1, "it is told once")
				require.Error(t, <-answer)
				return
			}
			require.Equal(t, ending{nil, 10 * time.Second}, <-d.end)
			require.NoError(t, <-answer)
		})
	}
}

// The end of Run's context is a stop like any other, in its order.
func TestRunUntilTheContextIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		d := run(t, ctx, func(g *daemon) { g.StopDelay = 5 * time.Second })
		answer := call(d.l.dial(t), taskSleep, "10s")
		cancel()
		pass(time.Second)
		require.False(t, d.Ready())
		late := d.l.dial(t)
		echoes(t, late)
		late.Close()
		require.Equal(t, ending{nil, 10 * time.Second}, <-d.end)
		require.NoError(t, <-answer)
	})
}

func TestWaitUntilTheContextIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := serialdaemon.Group{Signals: make(chan os.Signal)}
		l := newListener()
		_, _, err := g.Start(context.Background(), newServer(), l.endpoint())
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		ended := g.CloseOnAbort(ctx)
		echoes(t, l.dial(t))
		cancel()
		require.Empty(t, all(ended))
		require.True(t, l.isClosed())
	})
}

// An endpoint that fails ends the daemon: every server, not only its own.
func TestWaitUntilAnEndpointFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := run(t, context.Background())
		other := newListener()
		_, errs, err := d.Start(context.Background(), newServer(), other.endpoint())
		require.NoError(t, err)
		other.broken <- errBroken
		require.Len(t, all(errs), 1)
		end := <-d.end
		require.ErrorIs(t, end.err, errBroken)
		require.Equal(t, serialdaemon.ExitFailure, serialdaemon.ExitCode(end.err))
		require.True(t, d.l.isClosed())
	})
}

// What has failed before Wait is not missed, and is forgotten after a Close.
func TestWaitAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := serialdaemon.Group{Signals: make(chan os.Signal)}
		for _, closed := range []bool{false, true} {
			l := newListener()
			_, _, err := g.Start(context.Background(), newServer(), l.endpoint())
			require.NoError(t, err)
			l.broken <- errBroken
			synctest.Wait()
			if !closed {
				require.ErrorIs(t, g.Wait(context.Background()), errBroken)
				continue
			}
			require.Len(t, all(g.Close()), 1)
			returned := g.CloseOnAbort(context.Background())
			synctest.Wait()
			select {
			case <-returned:
				require.FailNow(t, "it has nothing to end for")
			default:
			}
			require.Empty(t, all(g.Close()))
			require.Empty(t, all(returned))
		}
	})
}

func TestWaitUntilNothingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := run(t, context.Background())
		other := newListener()
		ctx, cancel := context.WithCancel(context.Background())
		_, _, err := d.Start(ctx, newServer(), other.endpoint())
		require.NoError(t, err)
		cancel()
		d.goesOn(t)
		_, err = d.server.Shutdown(context.Background())
		require.NoError(t, err)
		require.NoError(t, (<-d.end).err)
	})
}

// Close ends Wait, and both have the errors.
func TestCloseEndsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := serialdaemon.Group{DrainTimeout: time.Second, Signals: make(chan os.Signal)}
		l := newListener()
		_, _, err := g.Start(context.Background(), newServer(), l.endpoint())
		require.NoError(t, err)
		answer := call(l.dial(t), taskSleep, "1h")
		returned := g.CloseOnAbort(context.Background())
		synctest.Wait()
		require.ErrorIs(t, g.Wait(context.Background()), serialdaemon.ErrWaiting)
		require.Equal(t, []error{serialdaemon.ErrWaiting}, all(g.CloseOnAbort(context.Background())))
		failed := all(g.Close())
		require.Len(t, failed, 1)
		waited := all(returned)
		require.Len(t, waited, 1)
		require.ErrorIs(t, waited[0], failed[0])
		require.Error(t, <-answer)
	})
}

func TestCloseOnAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal)
		g := serialdaemon.Group{Signals: signals}
		l := newListener()
		_, errs, err := g.Start(context.Background(), newServer(), l.endpoint())
		require.NoError(t, err)
		returned := g.CloseOnAbort(context.Background())
		signals <- syscall.SIGTERM
		require.Empty(t, all(returned))
		require.Empty(t, all(errs))
	})
}

// Who is told that the daemon is ready may send it a signal at once.
func TestOnReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newListener(), newListener()
		signals := make(chan os.Signal, 1)
		var ready []net.Addr
		g := serialdaemon.Group{Signals: signals, OnReady: func(addrs []net.Addr) {
			ready = addrs
			signals <- syscall.SIGTERM
			panic("oh")
		}}
		_, _, err := g.Start(context.Background(), newServer(), one.endpoint())
		require.NoError(t, err)
		require.NoError(t, g.Run(context.Background(), newServer(), two.endpoint()))
		require.Equal(t, []net.Addr{one.Addr(), two.Addr()}, ready)
	})
}

// A source of signals that ends is not asked again.
func TestNoMoreSignals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := run(t, context.Background())
		close(d.signals)
		d.goesOn(t)
		d.Close()
		require.NoError(t, (<-d.end).err)
	})
}

func TestSignalsThatAreMinded(t *testing.T) {
	for s, want := range map[os.Signal]bool{
		syscall.SIGINT: true, syscall.SIGTERM: true, syscall.SIGHUP: true, syscall.SIGUSR2: true,
		syscall.SIGQUIT: false, syscall.SIGUSR1: false, syscall.SIGPIPE: false,
	} {
		require.Equal(t, want, serialdaemon.SignalIsMinded(s), s)
	}
	synctest.Test(t, func(t *testing.T) {
		d := run(t, context.Background())
		d.signal(syscall.SIGQUIT, syscall.SIGUSR1)
		d.goesOn(t)
		require.True(t, d.Ready())
		d.signal(syscall.SIGTERM)
		<-d.end
	})
}
