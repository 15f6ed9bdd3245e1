package serialserver_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
)

// What is asked of a client and of a server beside the connections' own goroutines is right, and, under the
// race detector, asked under their locks.
func TestMethodsBesideTheConnection(t *testing.T) {
	srv := newServer(nil, nil)
	s := connect(t, srv)
	s.send(request(emptyTask, ""))
	s.wants(ok(""))
	c := srv.Clients()[0]
	var done, wrong atomic.Bool
	var asking sync.WaitGroup
	beside := func(isRight func() bool) {
		asking.Go(func() {
			for !done.Load() {
				if !isRight() {
					wrong.Store(true)
				}
				runtime.Gosched()
			}
		})
	}
	beside(func() bool { m := c.Metadata(); return m == nil || m.Code == emptyTask && m.Sequence > 1 })
	beside(func() bool { codes := c.TaskCodes(); return len(codes) == 0 || codes[0] == serial.TaskCode(emptyTask) })
	beside(func() bool { n := srv.NumClients(); return n == 1 || n == 2 })
	beside(func() bool { all := srv.Clients(); return len(all) <= 2 && all[0] == c })
	for range 100 {
		s.send(request(emptyTask, ""))
		s.wants(ok(""))
		other := connect(t, srv)
		other.Close()
		require.NoError(t, other.result())
	}
	done.Store(true)
	asking.Wait()
	require.False(t, wrong.Load())
}
