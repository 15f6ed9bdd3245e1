package serialserver_test

import (
	"context"
	"io"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
)

// givesUp is middleware that answers after a second, whatever the TaskFunc does, which begins after another one.
func givesUp(f serialserver.TaskFunc) serialserver.TaskFunc {
	return func(c context.Context, cl client, in reader, lg *zap.Logger, args ...any) (io.Reader, error) {
		go func() {
			sleep(2 * time.Second)
			f(c, cl, in, lg, args...)
		}()
		sleep(time.Second)
		return nil, coded(9)
	}
}

// Middleware that begins when its task is over gives back what it takes.
func TestMiddlewareOfATaskThatWasGivenUp(t *testing.T) {
	for name, m := range map[string]func(serialserver.TaskFunc) serialserver.TaskFunc{
		"concurrency": serialserver.LimitConcurrency(1, 0),
		"slow":        serialserver.SlowTaskLog(time.Second),
		"timeout":     serialserver.TaskTimeout(time.Second),
		"access":      serialserver.AccessLog(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil)
				srv.Register(testTask, givesUp(m(task(empty).run)), "")
				srv.Register(9, m(task(empty).run), "")
				s := connect(t, srv)
				s.send(request(testTask, ""))
				s.wants(failed(9))
				sleep(time.Minute)
				s.send(request(9, ""))
				s.wants(ok(""))
			})
		})
	}
}

// several is an error that cannot be compared.
type several []error

func (several) Error() string     { return "several" }
func (e several) Unwrap() []error { return e }

// A task whose time is over is answered so, whatever it wraps its error in, and also where a timer of its own is
// the first to notice.
func TestTimeoutsThatAreHardToTell(t *testing.T) {
	limits := map[string]func(*serialserver.Server){
		"limit": func(srv *serialserver.Server) {
			srv.SetTaskLimits(testTask, serialserver.Limits{TaskTime: time.Second})
		},
		"middleware": func(srv *serialserver.Server) { srv.Use(serialserver.TaskTimeout(time.Second)) },
	}
	for name, f := range map[string]task{
		"not comparable": func(c ctx, _ client, _ reader) (io.Reader, error) {
			<-c.Done()
			return nil, several{c.Err()}
		},
		"own timer": func(c ctx, _ client, _ reader) (io.Reader, error) {
			until, _ := c.Deadline()
			own, cancel := context.WithDeadline(c, until)
			defer cancel()
			<-own.Done()
			return nil, own.Err()
		},
	} {
		for by, limit := range limits {
			t.Run(name+" "+by, func(t *testing.T) {
				for range 50 { // which of two timers is the first is a matter of chance
					synctest.Test(t, func(t *testing.T) {
						srv := newServer(nil, f)
						limit(srv)
						s := connect(t, srv)
						s.send(request(testTask, ""))
						s.wants(failed(serial.ErrorDeadlineExceeded))
					})
				}
			})
		}
	}
}

// A client that is fast in small messages, each with a little waiting in it, is not below the minimum rate.
func TestMinRateOfManyMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, returns(nil)))
		m := request(testTask, string(make([]byte, 1000)))
		for range 1000 { // 40 s
			s.send(m[:len(m)-1])
			sleep(40 * time.Millisecond)
			s.send(m[len(m)-1:])
			s.wants(ok(""))
		}
	})
}

func TestWholeMessageWithTheLargestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil, serialserver.WithLimits(serialserver.Limits{MaxMessage: math.MaxInt64}))
		whole(srv, 1)
		s := connect(t, srv)
		s.send(request(testTask, "x"))
		s.wants(ok("x"))
	})
}

// miscounts is an out that says that it has read more than there was room for.
type miscounts struct{}

func (miscounts) Read(p []byte) (int, error) { return len(p) + 1, io.EOF }

// Nothing of a buffer that is not the task's is sent.
func TestOutThatMiscounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, returns(miscounts{})))
		s.send(request(testTask, ""))
		rest, _ := io.ReadAll(s.in)
		require.Less(t, len(rest), 10)
		require.ErrorContains(t, s.result(), "invalid count")
	})
}

func TestUseOfNothing(t *testing.T) {
	srv := newServer(nil, nil)
	require.Panics(t, func() { srv.Use(nil) })
	srv.Register(9, task(empty).run, "") // as if nothing had happened
}
