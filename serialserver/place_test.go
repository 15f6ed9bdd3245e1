package serialserver_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// wholeSleeper registers a WholeMessage task that takes d, as testTask.
func wholeSleeper(srv *serialserver.Server, d time.Duration) {
	srv.Register(testTask, serialserver.WholeMessage(
		func(ctx, client, []byte, logger, ...any) ([]byte, error) {
			sleep(d)
			return nil, nil
		}), "whole")
}

// However many clients send whole messages slowly, they keep nobody from a place; and when their messages are
// there they wait for one like everybody else.
func TestSlowSendersHaveNoPlace(t *testing.T) {
	for name, test := range map[string]struct {
		wait time.Duration
		want serialtest.Message // what the slow one gets
		at   time.Duration      // and when
	}{
		"busy":  {0, failed(serial.ErrorBusy), 2 * time.Second},
		"waits": {time.Hour, ok(""), 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil, serialserver.WithLimits(serialserver.Limits{MinRate: -1}))
				srv.Use(serialserver.LimitConcurrency(1, test.wait), serialserver.LimitConcurrency(1, test.wait))
				wholeSleeper(srv, time.Minute)
				slow := connect(t, srv)
				slow.send(beginning(testTask, "slow"))
				synctest.Wait()
				good := connect(t, srv)
				good.send(request(testTask, "good"))
				sleep(2 * time.Second)
				slow.send([]byte{0})
				slow.wants(test.want)
				require.Equal(t, test.at, time.Since(slow.start))
				good.wants(ok(""))
				slow.send(request(testTask, "again"))
				slow.wants(ok(""))
			})
		})
	}
}

// A message that is there as a whole does not cost a task its place, and so its turn.
func TestWholeMessageKeepsItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const readingTask = 4
		srv := newServer(nil, nil)
		srv.Use(serialserver.LimitConcurrency(1, time.Hour))
		wholeSleeper(srv, time.Minute)
		srv.Register(readingTask, sleeper(time.Minute).run, "")
		var sessions []*session
		for _, code := range []serial.TaskCode{readingTask, testTask, readingTask} {
			s := connect(t, srv)
			s.send(request(code, strings.Repeat("x", 50)))
			synctest.Wait()
			sessions = append(sessions, s)
		}
		for i, s := range sessions {
			s.wants(ok(""))
			require.Equal(t, time.Duration(i+1)*time.Minute, time.Since(s.start))
		}
	})
}

// A TaskFunc that reads by itself has its place while it does.
func TestReadersKeepTheirPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		srv.Use(serialserver.LimitConcurrency(1, 0))
		one, other := connect(t, srv), connect(t, srv)
		one.send(beginning(echoTask, "x"))
		synctest.Wait()
		other.send(request(echoTask, "x"))
		other.wants(failed(serial.ErrorBusy))
		one.send([]byte{0})
		one.wants(ok("x"))
		other.send(request(echoTask, "x"))
		other.wants(ok("x"))
	})
}

// A task that is over, because other middleware has given it up, gets no place any more.
func TestPlaceOfATaskThatIsOver(t *testing.T) {
	p := serialserver.NewPlace()
	require.NoError(t, p.Enter())
	p.Leave(false)
	require.NoError(t, p.Enter())
	p.Leave(true)
	require.Equal(t, serialserver.ErrTaskEnded, p.Enter())
	require.True(t, p.Free())
}

// The wait for a place that was given up ends with the context that the TaskFunc has, which middleware within that of
// the place may have given a time.
func TestWaitForAPlaceEndsWithTheContextWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		srv.Use(serialserver.LimitConcurrency(1, time.Hour), serialserver.TaskTimeout(3*time.Second))
		wholeSleeper(srv, time.Minute)
		slow := connect(t, srv)
		slow.send(beginning(testTask, "slow"))
		synctest.Wait()
		good := connect(t, srv)
		good.send(request(testTask, "good"))
		sleep(2 * time.Second)
		slow.send([]byte{0})
		slow.wants(failed(serial.ErrorDeadlineExceeded))
		require.Equal(t, 3*time.Second, time.Since(slow.start))
		good.wants(ok(""))
	})
}
