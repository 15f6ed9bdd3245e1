package serialserver_test

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// What is to be called is called once, the latest first, with what Metrics is told, when the answer is complete.
func TestOnTaskDone(t *testing.T) {
	for name, test := range map[string]struct {
		out     io.Reader
		err     error
		outcome serialserver.Outcome
		bytes   uint64
	}{
		"ok":      {strings.NewReader("answer"), nil, serialserver.OutcomeOK, 6},
		"stream":  {&patient{reads: 3}, nil, serialserver.OutcomeOK, 3},
		"error":   {nil, coded(7), serialserver.OutcomeError, 0},
		"dropped": {nil, errors.New("other"), serialserver.OutcomeDropped, 0},
		"broken":  {io.MultiReader(strings.NewReader("ans"), readError{}), nil, serialserver.OutcomeDropped, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var order []int
				var results []serialserver.TaskResult
				srv := newServer(nil, func(_ ctx, c client, _ reader) (io.Reader, error) {
					for i := range 3 {
						require.True(t, c.OnTaskDone(func(r serialserver.TaskResult) {
							order, results = append(order, i), append(results, r)
						}))
					}
					return test.out, test.err
				})
				var m results1
				srv.SetMetrics(&m)
				s := connect(t, srv)
				s.send(request(testTask, ""), request(emptyTask, ""), disconnect)
				io.ReadAll(s.in)
				s.Close()
				s.result()
				require.Equal(t, []int{2, 1, 0}, order)
				for _, r := range results {
					require.Equal(t, m.first, r)
				}
				require.Equal(t, test.outcome, m.first.Outcome)
				require.Equal(t, test.bytes, m.first.BytesOut)
			})
		})
	}
}

// results1 keeps the first result.
type results1 struct {
	serialserver.MemoryMetrics
	first serialserver.TaskResult
}

func (m *results1) TaskDone(_ client, r serialserver.TaskResult) {
	if m.first.Code == 0 {
		m.first = r
	}
}

type readError struct{}

func (readError) Read([]byte) (int, error) { return 0, errors.New("read") }

func TestOnTaskDoneWithoutATask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		s := connect(t, srv)
		synctest.Wait()
		require.False(t, srv.Clients()[0].OnTaskDone(func(serialserver.TaskResult) { t.Error("called") }))
		s.send(request(echoTask, "x"))
		s.wants(ok("x"))
	})
}

// A panic in it is logged and costs nobody anything.
func TestOnTaskDonePanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.ErrorLevel)
		called := false
		srv := newServer(nil, func(_ ctx, c client, _ reader) (io.Reader, error) {
			c.OnTaskDone(func(serialserver.TaskResult) { called = true })
			c.OnTaskDone(func(serialserver.TaskResult) { panic("done") })
			return nil, nil
		})
		srv.SetLogger(zap.New(core))
		s := connect(t, srv, serialtest.Buffer(1<<20))
		s.send(request(testTask, ""), request(echoTask, "x"))
		s.wants(ok(""), ok("x"))
		require.True(t, called)
		line := logs.TakeAll()[0]
		require.Equal(t, "OnTaskDone panicked", line.Message)
		require.Contains(t, line.ContextMap()["stack"], "done_test.go")
	})
}

// One that ends its goroutine ends the connection, and keeps nobody from being told.
func TestOnTaskDoneThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		called := 0
		var m serialserver.MemoryMetrics
		srv := newServer(nil, func(_ ctx, c client, _ reader) (io.Reader, error) {
			c.OnTaskDone(func(serialserver.TaskResult) { called++ })
			c.OnTaskDone(func(serialserver.TaskResult) { runtime.Goexit() })
			c.OnTaskDone(func(serialserver.TaskResult) { called++ })
			return nil, nil
		})
		srv.SetMetrics(&m)
		s := connect(t, srv)
		s.send(request(testTask, ""), request(echoTask, "not handled"))
		s.wants(ok(""))
		s.wantsEnd()
		<-s.returned
		require.Equal(t, 2, called)
		require.EqualValues(t, 1, m.Tasks(testTask).OK)
		require.Zero(t, srv.NumClients())
	})
}
