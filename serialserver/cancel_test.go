package serialserver_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
)

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, causes := untilStopped(time.Hour)
		srv := newServer(nil, f)
		s := connect(t, srv)
		synctest.Wait()
		c := srv.Clients()[0]
		for range 2 { // and each task is cancelled by itself
			c.Cancel() // idle: nothing
			s.send(request(testTask, ""))
			sleep(time.Second)
			c.Cancel()
			c.Cancel()
			s.wants(ok("done"))
			require.Equal(t, stopped{serialserver.ErrTaskCancelled, time.Second}, <-causes)
			synctest.Wait()
		}
		c.Cancel()
		s.send(request(echoTask, "x"))
		s.wants(ok("x"))
	})
}

// Of several causes the first counts.
func TestFirstCauseCounts(t *testing.T) {
	for name, asked := range map[string]bool{"asked before": true, "never asked": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var cause error
				srv := newServer(nil, func(ctx ctx, c client, _ reader) (io.Reader, error) {
					if asked {
						ctx.Done()
					}
					c.Cancel()
					c.Close()
					cause = context.Cause(ctx)
					return nil, nil
				})
				var m serialserver.MemoryMetrics
				srv.SetMetrics(&m)
				s := connect(t, srv)
				s.send(append(request(testTask, ""), request(99, "not handled")...))
				require.ErrorIs(t, s.result(), serialserver.ErrClosed)
				require.Equal(t, serialserver.ErrTaskCancelled, cause)
				require.Equal(t, []serial.TaskCode{testTask}, m.TaskCodes())
			})
		})
	}
}

func TestClose(t *testing.T) {
	for name, running := range map[string]bool{"idle": false, "running": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, causes := untilStopped(time.Hour)
				srv := newServer(nil, f)
				s := connect(t, srv)
				if running {
					s.send(request(testTask, ""))
				}
				synctest.Wait()
				c := srv.Clients()[0]
				require.NoError(t, c.Close())
				require.Error(t, c.Close(), "the connection's")
				s.wantsEnd() // it is told nothing
				require.ErrorIs(t, s.result(), serialserver.ErrClosed)
				require.Zero(t, s.lasted)
				if running {
					require.Equal(t, stopped{serialserver.ErrClosed, 0}, <-causes)
				}
			})
		})
	}
}

// Client.Close while the connection is lingering ends that, and changes nothing of how it ended.
func TestCloseWhileLingering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		s := connect(t, srv)
		s.send(disconnect)
		s.wants(goodbye)
		sleep(time.Millisecond)
		require.NoError(t, srv.Clients()[0].Close())
		require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
		require.Equal(t, time.Millisecond, s.lasted)
	})
}
