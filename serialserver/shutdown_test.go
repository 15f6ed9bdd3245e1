package serialserver_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// report is what a Shutdown returned, and how long it took.
type report struct {
	serialserver.Report
	err   error
	after time.Duration
}

// shutDown starts a Shutdown that has d, 0 meaning for ever.
func shutDown(srv *serialserver.Server, d time.Duration) <-chan report {
	done := make(chan report, 1)
	begin := time.Now()
	go func() {
		ctx, cancel := context.WithCancel(context.Background())
		if d > 0 {
			ctx, cancel = context.WithTimeout(ctx, d)
		}
		defer cancel()
		r, err := srv.Shutdown(ctx)
		done <- report{r, err, time.Since(begin)}
	}()
	return done
}

// Each client is told what it has to know, and the report says how many there were of each kind.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, sleeper(time.Second))
		l := listen(context.Background(), srv)
		idle, busy, ahead := l.dial(t), l.dial(t), l.dial(t)
		busy.send(request(testTask, ""))
		ahead.send(request(testTask, ""), request(echoTask, "x"))
		synctest.Wait()
		done := shutDown(srv, 0)
		idle.wants(goodbye)
		idle.Close()
		require.Zero(t, time.Since(idle.start))
		busy.wants(ok(""), goodbye)
		ahead.wants(ok(""), goodbye)
		require.Equal(t, time.Second, time.Since(idle.start))
		busy.Close()
		ahead.Close()
		require.Equal(t, report{serialserver.Report{Idle: 1, Drained: 2}, nil, time.Second}, <-done)
		require.Equal(t, serialserver.ErrServerClosed, <-l.returned)
	})
}

// At the end of its time a task is cut off. Shutdown does not wait for one that does not mind, and says
// which it is.
func TestShutdownCutsOff(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			cause := make(chan error, 1)
			srv := newServer(nil, func(c ctx, _ client, _ reader) (io.Reader, error) {
				<-c.Done()
				cause <- context.Cause(c)
				if deaf {
					sleep(time.Hour)
				}
				return nil, nil
			})
			l := listen(context.Background(), srv)
			s := l.dial(t, serialtest.Addrs(serialtest.Addr("192.0.2.7:1"), serialtest.Addr("server")))
			s.send(request(testTask, ""))
			synctest.Wait()
			r := <-shutDown(srv, time.Minute)
			s.wantsEnd()
			require.Equal(t, serialserver.ErrDisconnectTimeout, <-cause)
			require.Equal(t, context.DeadlineExceeded, r.err)
			if !deaf {
				require.Equal(t, report{serialserver.Report{Cut: 1}, context.DeadlineExceeded, time.Minute}, r)
				return
			}
			require.Equal(t, time.Minute+50*time.Millisecond, r.after)
			require.Equal(t, []serialserver.RunningTask{{
				Remote: serialtest.Addr("192.0.2.7:1"), Code: testTask, Name: "test", Age: r.after,
			}}, r.Running)
			require.Equal(t, 1, r.Cut)
			srv.Wait()
			again := <-shutDown(srv, 0)
			require.Equal(t, report{serialserver.Report{Cut: 1}, nil, 0}, again)
		})
	}
}

// Shutdowns at the same time, and again, all wait and tell the same.
func TestShutdownAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, sleeper(time.Second))
		s := connect(t, srv)
		s.send(request(testTask, ""))
		synctest.Wait()
		first, second := shutDown(srv, 0), shutDown(srv, time.Hour)
		short := shutDown(srv, time.Millisecond)
		r := <-short
		require.Equal(t, context.DeadlineExceeded, r.err)
		require.ErrorIs(t, s.result(), serialserver.ErrDisconnectTimeout)
		for _, done := range []<-chan report{first, second} {
			r := <-done
			require.NoError(t, r.err)
			require.Equal(t, serialserver.Report{Cut: 1}, r.Report)
		}
	})
}

// What connects after a Shutdown is refused, also by HandleConnection.
func TestConnectionAfterShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		r := <-shutDown(srv, 0)
		require.Equal(t, report{}, r)
		s := connect(t, srv)
		s.send(request(echoTask, "x"))
		s.wants(goodbye)
		s.Close()
		require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
		r = <-shutDown(srv, 0)
		require.Equal(t, serialserver.Report{Idle: 1}, r.Report)
	})
}

// A TaskFunc may shut the server down: it does not wait for itself.
func TestShutdownFromATask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var srv *serialserver.Server
		srv = newServer(nil, func(c ctx, _ client, _ reader) (io.Reader, error) {
			within, cancel := context.WithTimeout(c, time.Minute)
			defer cancel()
			r, err := srv.Shutdown(within)
			require.NoError(t, err)
			require.Equal(t, serialserver.Report{Idle: 1}, r)
			return nil, nil
		})
		other := connect(t, srv)
		s := connect(t, srv)
		synctest.Wait()
		s.send(request(testTask, ""))
		other.wants(goodbye)
		other.Close()
		s.wants(ok(""), goodbye)
		s.Close()
		srv.Wait()
		require.Less(t, time.Since(s.start), time.Second)
	})
}

// Close tells nobody, and does not wait.
func TestServerClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, sleeper(time.Second))
		l := listen(context.Background(), srv)
		idle, busy := l.dial(t), l.dial(t)
		busy.send(request(testTask, ""))
		synctest.Wait()
		begin := time.Now()
		require.NoError(t, srv.Close())
		idle.wantsEnd()
		busy.wantsEnd()
		require.Zero(t, time.Since(begin))
		require.Equal(t, serialserver.ErrServerClosed, <-l.returned)
		require.NoError(t, srv.Close(), "again")
		srv.Wait()
		require.Equal(t, time.Second, time.Since(begin), "the task did not mind")
	})
}

// A client whose answer is complete when the stop begins, and waits to be taken, is drained and not idle.
func TestShutdownWhileAnAnswerIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		s := connect(t, srv, serialtest.Buffer(0))
		s.send(request(emptyTask, ""))
		synctest.Wait()
		require.Empty(t, srv.Clients()[0].TaskCodes(), "the task is over")
		done := shutDown(srv, 0)
		synctest.Wait()
		s.wants(ok(""), goodbye)
		s.Close()
		require.Equal(t, report{Report: serialserver.Report{Drained: 1}}, <-done)
	})
}
