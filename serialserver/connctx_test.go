package serialserver_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

var errStopping = errors.New("the daemon stops")

// connectContext is connect with the context of HandleConnection.
func connectContext(t *testing.T, ctx ctx, srv *serialserver.Server) *session {
	client, server := serialtest.Pipe()
	return serve(t, ctx, srv, client, server)
}

func TestContextDoneIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		s := connectContext(t, ctx, newServer(nil, nil))
		s.send(request(echoTask, "x"))
		s.wants(ok("x"))
		synctest.Wait()
		cancel(errStopping)
		s.wants(goodbye)
		s.wantsEnd()
		s.Close()
		require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
		require.Zero(t, s.lasted)
	})
}

// The context is done before the connection begins: no task is begun.
func TestContextDoneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		client, server := serialtest.Pipe()
		client.Write(request(echoTask, "x"))
		s := serve(t, ctx, newServer(nil, nil), client, server)
		s.wants(goodbye)
		s.Close()
		require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
	})
}

// The running task's context is cancelled, for the same cause, and its answer still arrives.
func TestContextDoneRunning(t *testing.T) {
	for name, test := range map[string]struct {
		with func(ctx) (ctx, func())
		want error
	}{
		"cancelled": {func(p ctx) (ctx, func()) {
			c, cancel := context.WithCancelCause(p)
			return c, func() { sleep(time.Second); cancel(errStopping) }
		}, errStopping},
		"deadline": {func(p ctx) (ctx, func()) {
			c, cancel := context.WithTimeout(p, time.Second)
			t.Cleanup(cancel)
			return c, func() {}
		}, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, causes := untilStopped(time.Hour)
				ctx, cancel := test.with(t.Context())
				s := connectContext(t, ctx, newServer(nil, f))
				s.send(request(testTask, ""), request(echoTask, "not handled"))
				cancel()
				s.wants(ok("done"), goodbye)
				s.Close()
				require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
				require.Equal(t, time.Second, s.lasted)
				require.Equal(t, stopped{test.want, time.Second}, <-causes)
			})
		})
	}
}

// A task whose connection's context is done has 5 s to answer.
func TestContextDoneGrace(t *testing.T) {
	for _, takes := range []time.Duration{5*time.Second - 1, 5*time.Second + 1} {
		t.Run(takes.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				s := connectContext(t, ctx, newServer(nil, sleeper(takes)))
				s.send(request(testTask, ""))
				synctest.Wait()
				cancel()
				if takes > 5*time.Second {
					s.wantsEnd()
					require.Equal(t, 5*time.Second, time.Since(s.start))
					require.ErrorIs(t, s.result(), serialserver.ErrDisconnectTimeout)
					return
				}
				s.wants(ok(""), goodbye)
				s.Close()
				require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
			})
		})
	}
}
