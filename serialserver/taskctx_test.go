package serialserver_test

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// withTask runs f as the one task of a connection whose context is parent, and returns its context.
func withTask(t *testing.T, parent ctx, f func(ctx, client)) ctx {
	var tasks ctx
	clientEnd, serverEnd := serialtest.Pipe()
	s := serve(t, parent, newServer(nil, func(ctx ctx, c client, _ reader) (io.Reader, error) {
		tasks = ctx
		f(ctx, c)
		return nil, nil
	}), clientEnd, serverEnd)
	s.send(request(testTask, ""), disconnect)
	s.wants(ok(""), goodbye)
	s.Close()
	s.result()
	return tasks
}

type key struct{}

func TestTaskContextWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent := context.WithValue(t.Context(), key{}, "value")
		parent, cancel := context.WithTimeout(parent, time.Hour)
		defer cancel()
		withTask(t, parent, func(ctx ctx, _ client) {
			require.NoError(t, ctx.Err())
			require.Equal(t, "value", ctx.Value(key{}))
			require.Nil(t, ctx.Value("no such key"))
			require.NoError(t, context.Cause(ctx))
			deadline, ok := ctx.Deadline()
			want, _ := parent.Deadline()
			require.True(t, ok)
			require.Equal(t, want, deadline)
			require.Equal(t, ctx.Done(), ctx.Done(), "always the same")
			select {
			case <-ctx.Done():
				t.Error("done")
			default:
			}
			require.NoError(t, ctx.Err(), "also once there is a context behind it")
		})
		withTask(t, t.Context(), func(ctx ctx, _ client) {
			until, ok := ctx.Deadline()
			require.True(t, ok)
			require.Equal(t, time.Now().Add(serialserver.DefaultTaskTime), until)
		})
	})
}

// The ways to be cancelled, for a context that was asked before and one that was not.
func TestTaskContextCancelled(t *testing.T) {
	for name, asked := range map[string]func(ctx){
		"never asked":   func(ctx) {},
		"asked before":  func(c ctx) { c.Done() },
		"asked for err": func(c ctx) { c.Err() },
		"derived":       func(c ctx) { _, cancel := context.WithCancel(c); cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				withTask(t, t.Context(), func(ctx ctx, c client) {
					asked(ctx)
					c.Cancel()
					require.Equal(t, context.Canceled, ctx.Err())
					require.Equal(t, serialserver.ErrTaskCancelled, context.Cause(ctx))
					<-ctx.Done()
					derived, cancel := context.WithCancel(ctx)
					defer cancel()
					require.Equal(t, serialserver.ErrTaskCancelled, context.Cause(derived))
				})
			})
		})
	}
}

// What is derived from a task's context needs no goroutine of its own, and ends with it.
func TestTaskContextDerived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var called []error
		var derived ctx
		withTask(t, t.Context(), func(ctx ctx, c client) {
			var cancel context.CancelFunc
			derived, cancel = context.WithTimeout(context.WithValue(ctx, key{}, 1), time.Hour)
			t.Cleanup(cancel)
			context.AfterFunc(ctx, func() { called = append(called, context.Cause(ctx)) })
			stop := context.AfterFunc(ctx, func() { t.Error("was stopped") })
			require.True(t, stop())
			synctest.Wait()
			require.Empty(t, called)
			c.Cancel()
			synctest.Wait()
			require.Equal(t, []error{serialserver.ErrTaskCancelled}, called)
			require.Equal(t, serialserver.ErrTaskCancelled, context.Cause(derived))
		})
		require.Len(t, called, 1)
	})
}

// When the task has been answered its context is done, for those too that ask only then.
func TestTaskContextAfterTheEnd(t *testing.T) {
	for name, ask := range map[string]bool{"asked before": true, "never asked": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := withTask(t, context.WithValue(t.Context(), key{}, 1), func(ctx ctx, _ client) {
					if ask {
						ctx.Done()
					}
				})
				<-ctx.Done()
				require.Equal(t, context.Canceled, ctx.Err())
				require.Equal(t, context.Canceled, context.Cause(ctx))
				require.Equal(t, 1, ctx.Value(key{}))
				late := make(chan struct{})
				context.AfterFunc(ctx, func() { close(late) })
				<-late
			})
		})
	}
}

// It is done when the answer is complete, not before: the answer may need it.
func TestTaskContextLastsUntilTheAnswerIsComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tasks ctx
		s := connect(t, newServer(nil, func(ctx ctx, _ client, _ reader) (io.Reader, error) {
			tasks = ctx
			return &patient{reads: 2}, nil
		}))
		s.send(request(testTask, ""))
		sleep(2*time.Hour - 1)
		require.NoError(t, tasks.Err())
		s.wants(ok("xx"))
		synctest.Wait()
		require.Error(t, tasks.Err())
	})
}

// Only who looks at a context makes one.
func TestTaskContextIsMadeWhenAsked(t *testing.T) {
	for name, test := range map[string]struct {
		ask  func(ctx)
		made bool
	}{
		"not at all": {func(ctx) {}, false},
		"Err":        {func(c ctx) { c.Err() }, false},
		"Deadline":   {func(c ctx) { c.Deadline() }, false},
		"Done":       {func(c ctx) { c.Done() }, true},
		"Value":      {func(c ctx) { c.Value(key{}) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := withTask(t, t.Context(), func(ctx ctx, _ client) { test.ask(ctx) })
				require.Equal(t, test.made, serialserver.HasContext(ctx))
			})
		})
	}
}

// What ended the message says why the task is cancelled, unless this side did.
func TestCauseOfInput(t *testing.T) {
	require.Equal(t, serialserver.ErrClientVanished, serialserver.CauseOfInput(io.ErrUnexpectedEOF))
	require.Equal(t, serialserver.ErrClientVanished, serialserver.CauseOfInput(errBroken))
	require.Equal(t, os.ErrDeadlineExceeded, serialserver.CauseOfInput(os.ErrDeadlineExceeded))
	require.NoError(t, serialserver.CauseOfInput(serialserver.ErrInterrupted))
}

// The first cause counts, also where nobody had asked for the context by then.
func TestFirstCauseOfATaskContext(t *testing.T) {
	theirs := errors.New("theirs")
	for _, asked := range []bool{false, true} {
		for _, first := range []error{serialserver.ErrTaskCancelled, theirs} {
			parent, cancel := context.WithCancelCause(context.Background())
			kept := withTask(t, parent, func(c ctx, cl client) {
				if asked {
					c.Done()
				}
				if first == theirs {
					cancel(theirs)
					cl.Cancel()
				} else {
					cl.Cancel()
					cancel(theirs)
				}
				require.Equal(t, first, context.Cause(c))
			})
			require.Equal(t, first, context.Cause(kept))
		}
		parent, cancel := context.WithCancelCause(context.Background())
		kept := withTask(t, parent, func(c ctx, _ client) {
			if asked {
				c.Done()
			}
		})
		cancel(theirs)
		require.Equal(t, context.Canceled, context.Cause(kept), "the task had ended before")
		require.Equal(t, context.Canceled, kept.Err())
	}
}
