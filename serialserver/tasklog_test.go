package serialserver_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/serialkit/serialkit/serialserver"
)

func TestAccessLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		srv := newServer(nil, fails(coded(7)))
		srv.SetLogger(zap.New(core))
		srv.Use(serialserver.AccessLog())
		s := connect(t, srv)
		s.send(request(echoTask, "hello"), request(testTask, "unread"))
		s.wants(ok("hello"), failed(7))
		synctest.Wait()
		var lines []map[string]any
		for _, line := range logs.TakeAll() {
			require.Equal(t, "task", line.Message)
			require.Equal(t, zap.InfoLevel, line.Level)
			lines = append(lines, line.ContextMap())
		}
		require.Equal(t, []map[string]any{
			{"remote": "client", "task": "1", "name": "echo", "outcome": "ok", "duration": time.Duration(0),
				"in": uint64(5), "out": uint64(5)},
			{"remote": "client", "task": "3", "name": "test", "outcome": "error", "duration": time.Duration(0),
				"in": uint64(0), "out": uint64(0), "code": "7", "error": coded(7).Error()},
		}, lines)
	})
}

// A task that is slow has a line when it is, and one at its end.
func TestSlowTaskLog(t *testing.T) {
	for name, test := range map[string]struct {
		lasts time.Duration
		slow  bool
	}{"1 ns before": {time.Minute - 1, false}, "1 ns after": {time.Minute + 1, true}, "after": {time.Hour, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(zap.InfoLevel)
				srv := newServer(nil, sleeper(test.lasts))
				srv.SetLogger(zap.New(core))
				srv.Use(serialserver.SlowTaskLog(time.Minute))
				s := connect(t, srv)
				s.send(request(echoTask, ""), request(testTask, ""))
				sleep(time.Minute)
				synctest.Wait()
				require.Equal(t, test.slow, logs.FilterMessage("slow task").Len() == 1)
				s.wants(ok(""), ok(""))
				synctest.Wait()
				if !test.slow {
					require.Empty(t, logs.All())
					return
				}
				require.Equal(t, 2, logs.Len())
				line := logs.FilterMessage("slow task ended").All()[0].ContextMap()
				require.Equal(t, test.lasts, line["duration"])
				require.Equal(t, uint64(2), line["sequence"])
			})
		})
	}
}
