package serialserver_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// What begins when its task was given up, and its client's next one runs, is none of that one's: it has its place for
// as long as it runs, and takes none away.
func TestGivenUpBesideTheNextTask(t *testing.T) {
	const nextTask = 9
	for name, test := range map[string]struct {
		places int
		late   func(limit func(serialserver.TaskFunc) serialserver.TaskFunc) serialserver.TaskFunc
		want   serialtest.Message // what another client gets while the next one runs
	}{
		"gives its place back": {2, func(limit func(serialserver.TaskFunc) serialserver.TaskFunc) serialserver.TaskFunc {
			return limit(task(empty).run)
		}, ok("")},
		"takes no place away": {1, func(func(serialserver.TaskFunc) serialserver.TaskFunc) serialserver.TaskFunc {
			return serialserver.WholeMessage(nil)
		}, failed(serial.ErrorBusy)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limit := serialserver.LimitConcurrency(test.places, 0)
				srv := newServer(nil, nil)
				srv.Register(testTask, givesUp(test.late(limit)), "")
				srv.Register(nextTask, limit(sleeper(time.Minute).run), "")
				srv.Register(emptyTask, limit(task(empty).run), "")
				s, other := connect(t, srv), connect(t, srv)
				s.send(request(testTask, ""))
				s.wants(failed(9))
				s.send(beginning(nextTask, "x"))
				sleep(3 * time.Second)
				other.send(request(emptyTask, ""))
				other.wants(test.want)
				s.send([]byte{0})
				s.wants(ok(""))
			})
		})
	}
}

// Nor does it log or count the next task as its own.
func TestAccessLogOfATaskThatWasGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lg, logs := observed()
		srv := newServer(nil, nil)
		srv.SetLogger(lg)
		log, slow := serialserver.AccessLog(), serialserver.SlowTaskLog(time.Second)
		srv.Register(testTask, givesUp(log(slow(task(empty).run))), "")
		srv.Register(9, log(sleeper(time.Minute).run), "")
		s := connect(t, srv)
		s.send(request(testTask, ""))
		s.wants(failed(9))
		s.send(request(9, ""))
		s.wants(ok(""))
		require.Equal(t, 1, logs.FilterMessage("task").Len())
		require.Zero(t, logs.FilterMessage("slow task").Len())
	})
}
