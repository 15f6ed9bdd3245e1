package serialserver_test

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
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// dropped stands for no answer.
var dropped serialtest.Message

// The times of these tests: below and above the 300 ms after which a client is looked for.
var taskTimes = []time.Duration{1, time.Millisecond, 100 * time.Millisecond, 299 * time.Millisecond,
	300 * time.Millisecond, time.Second, 10 * time.Second}

// A task's context is done at the end of its time, not a nanosecond before, by the limit and by the middleware.
func TestTaskTime(t *testing.T) {
	for name, limit := range map[string]func(*serialserver.Server, time.Duration){
		"limit": func(srv *serialserver.Server, d time.Duration) {
			srv.SetTaskLimits(testTask, serialserver.Limits{TaskTime: d})
		},
		"middleware": func(srv *serialserver.Server, d time.Duration) { srv.Use(serialserver.TaskTimeout(d)) },
	} {
		for _, d := range taskTimes {
			t.Run(fmt.Sprint(name, " ", d), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f, causes := untilStopped(2 * time.Hour)
					srv := newServer(nil, f)
					limit(srv, d)
					s := connect(t, srv)
					for range 3 { // the timer is armed for another one then
						s.send(request(emptyTask, ""), request(testTask, ""))
						s.wants(ok(""), ok("done"))
						require.Equal(t, stopped{serialserver.ErrTaskTimeout, d}, <-causes)
						sleep(d / 3)
					}
				})
			})
		}
	}
}

func TestTaskTimeInTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, asked := range []bool{true, false} {
			srv := newServer(nil, func(ctx ctx, _ client, _ reader) (io.Reader, error) {
				until, ok := ctx.Deadline()
				require.True(t, ok)
				require.Equal(t, time.Now().Add(time.Second), until)
				if asked {
					ctx.Done()
				}
				sleep(time.Second - 1)
				require.NoError(t, ctx.Err())
				settle()
				sleep(1)
				require.Equal(t, context.DeadlineExceeded, ctx.Err())
				require.ErrorIs(t, context.Cause(ctx), context.DeadlineExceeded)
				derived, cancel := context.WithCancel(ctx)
				defer cancel()
				require.Equal(t, serialserver.ErrTaskTimeout, context.Cause(derived))
				return nil, nil
			}, serialserver.WithLimits(serialserver.Limits{TaskTime: time.Second}))
			s := connect(t, srv)
			s.send(request(testTask, ""))
			s.wants(ok(""))
		}
	})
}

// The time of the middleware goes on while the answer is sent, and ends its context then.
func TestTaskTimeWhileAnswering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, times := range [][2]time.Duration{{time.Minute, time.Minute}, {time.Hour, 3 * time.Minute}} {
			var ended time.Duration
			srv := newServer(nil, func(ctx ctx, _ client, _ reader) (io.Reader, error) {
				start := time.Now()
				context.AfterFunc(ctx, func() { ended = time.Since(start) })
				return &patient{reads: 3, every: time.Minute}, nil
			})
			srv.Use(serialserver.TaskTimeout(times[0]))
			s := connect(t, srv)
			s.send(request(testTask, ""))
			s.wants(ok("xxx"))
			synctest.Wait()
			require.Equal(t, times[1], ended)
		}
	})
}

func TestNoTaskTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, func(ctx ctx, _ client, _ reader) (io.Reader, error) {
			_, ok := ctx.Deadline()
			require.False(t, ok)
			sleep(serialserver.DefaultTaskTime + time.Hour)
			return nil, ctx.Err()
		}, unlimited)
		s := connect(t, srv)
		s.send(request(testTask, ""))
		s.wants(ok(""))
	})
}

// A parent's deadline that is earlier is the context's.
func TestEarlierDeadlineCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		early, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		withTask(t, early, func(ctx ctx, _ client) {
			until, ok := ctx.Deadline()
			require.True(t, ok)
			require.Equal(t, time.Now().Add(time.Minute), until)
		})
	})
}

// A task that was stopped and returns the error of its context is answered with the code for that, and nothing
// else that it returns is.
func TestCodesOfStoppedTasks(t *testing.T) {
	wrapped := func(err error) error { return fmt.Errorf("wrapped: %w", err) }
	for name, test := range map[string]struct {
		cancel bool // or its time is over
		err    func(ctx) error
		want   serialtest.Message
	}{
		"cancelled":               {true, ctx.Err, failed(serial.ErrorCancelled)},
		"cancelled, cause":        {true, context.Cause, failed(serial.ErrorCancelled)},
		"cancelled, wrapped":      {true, func(c ctx) error { return wrapped(c.Err()) }, failed(serial.ErrorCancelled)},
		"cancelled, own code":     {true, func(c ctx) error { return serial.Errorf(7, "%w", c.Err()) }, failed(7)},
		"cancelled, other":        {true, func(ctx) error { return errors.New("other") }, dropped},
		"cancelled, nothing":      {true, func(ctx) error { return nil }, ok("")},
		"cancelled, panics in Is": {true, func(ctx) error { return panicsInIs{} }, dropped},
		"late":                    {false, ctx.Err, failed(serial.ErrorDeadlineExceeded)},
		"late, cause":             {false, context.Cause, failed(serial.ErrorDeadlineExceeded)},
		"late, wrapped":           {false, func(c ctx) error { return wrapped(context.Cause(c)) }, failed(serial.ErrorDeadlineExceeded)},
		"late, own code":          {false, func(c ctx) error { return serial.Errorf(7, "%w", c.Err()) }, failed(7)},
		"late, other":             {false, func(ctx) error { return errors.New("other") }, dropped},
	} {
		for by, use := range map[string]bool{"limit": false, "middleware": true} {
			t.Run(name+" "+by, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					srv := newServer(nil, func(ctx ctx, c client, _ reader) (io.Reader, error) {
						if test.cancel {
							c.Cancel()
						}
						<-ctx.Done()
						return nil, test.err(ctx)
					})
					if use {
						srv.Use(serialserver.TaskTimeout(time.Second))
					} else {
						srv.SetTaskLimits(testTask, serialserver.Limits{TaskTime: time.Second})
					}
					s := connect(t, srv)
					s.send(request(testTask, "unread"))
					if test.want.String() == dropped.String() {
						s.wantsEnd()
						return
					}
					s.wants(test.want)
					s.send(request(echoTask, "in step"))
					s.wants(ok("in step"))
				})
			})
		}
	}
}

// An error of a context that the server did not stop has no code.
func TestContextErrorOfOnesOwn(t *testing.T) {
	for name, err := range map[string]error{"cancelled": context.Canceled, "late": context.DeadlineExceeded, "timeout": serialserver.ErrTaskTimeout} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := connect(t, newServer(nil, fails(err)))
				s.send(request(testTask, ""))
				s.wantsEnd()
				require.ErrorIs(t, s.result(), err)
			})
		})
	}
}

// Nor has one of a task whose message could not be read: the connection is out of step.
func TestStoppedTaskWithABrokenMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, func(ctx ctx, c client, in reader) (io.Reader, error) {
			c.Cancel()
			io.Copy(io.Discard, in)
			return nil, ctx.Err()
		}))
		s.send(beginning(testTask, "begun"))
		s.wantsEnd()
		require.ErrorIs(t, s.result(), errTimeout)
	})
}

// panicsInIs is an error that panics when it is compared.
type panicsInIs struct{}

func (panicsInIs) Error() string { return "panics" }
func (panicsInIs) Is(error) bool { panic("Is") }
