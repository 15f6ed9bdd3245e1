package serialserver_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
)

// Of more tasks than there are places those beyond are busy, at once or after their wait; the places of those
// that have ended are free again, however they ended.
func TestLimitConcurrency(t *testing.T) {
	for name, wait := range map[string]time.Duration{"at once": 0, "after a wait": 30 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, sleeper(time.Minute))
				srv.Use(serialserver.LimitConcurrency(3, wait))
				for range 2 {
					var s []*session
					for range 5 {
						s = append(s, connect(t, srv))
						s[len(s)-1].send(request(testTask, "message"))
						synctest.Wait()
					}
					start := time.Now()
					for _, s := range s[3:] {
						s.wants(failed(serial.ErrorBusy))
						require.Equal(t, wait, time.Since(start))
					}
					for _, s := range s[:3] {
						s.wants(ok(""))
						require.Equal(t, time.Minute, time.Since(start))
						s.Close()
						s.result()
					}
					for _, s := range s[3:] {
						s.Close()
						s.result()
					}
				}
			})
		})
	}
}

// A task has its place until its answer is complete.
func TestConcurrencyLastsAsLongAsTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(&serialserver.Timeout{Wait: -1}, returns(&patient{reads: 2}))
		srv.Use(serialserver.LimitConcurrency(1, 0))
		one, other := connect(t, srv), connect(t, srv)
		one.send(request(testTask, ""))
		for range 2 {
			sleep(59 * time.Minute)
			other.send(request(echoTask, "x"))
			other.wants(failed(serial.ErrorBusy))
		}
		one.wants(ok("xx"))
		other.send(request(echoTask, "x"))
		other.wants(ok("x"))
	})
}

// A place is given back however the task ends.
func TestConcurrencyAfterBadEnds(t *testing.T) {
	for name, f := range map[string]task{
		"panic":  func(ctx, client, reader) (io.Reader, error) { panic("task") },
		"drop":   fails(io.ErrNoProgress),
		"error":  fails(coded(7)),
		"broken": returns(readError{}),
		"closed": func(_ ctx, c client, _ reader) (io.Reader, error) { c.Close(); return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, f)
				srv.Use(serialserver.LimitConcurrency(1, 0))
				for range 3 {
					s := connect(t, srv)
					s.send(request(testTask, ""))
					s.closeWrite()
					io.ReadAll(s.in)
					s.Close()
					s.result()
				}
				s := connect(t, srv)
				s.send(request(echoTask, "x"))
				s.wants(ok("x"))
			})
		})
	}
}

// Who waits for a place is cancelled like any other task, and takes no place then.
func TestCancelledWhileWaitingForAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, sleeper(time.Minute))
		srv.Use(serialserver.LimitConcurrency(1, time.Hour))
		one := connect(t, srv)
		one.send(request(testTask, ""))
		synctest.Wait()
		other := connect(t, srv)
		other.send(request(echoTask, "x"), request(echoTask, "y"))
		synctest.Wait()
		srv.Clients()[1].Cancel()
		other.wants(failed(serial.ErrorCancelled))
		one.wants(ok(""))
		other.wants(ok("y"))
		require.Equal(t, time.Minute, time.Since(one.start))
	})
}

func TestLimitConcurrencyPanics(t *testing.T) {
	require.Panics(t, func() { serialserver.LimitConcurrency(0, 0) })
}
