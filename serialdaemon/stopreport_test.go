package serialdaemon_test

import (
	"context"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/serialkit/serialkit/serialdaemon"
)

// The last that a stop does is to report: what became of the connections, and which tasks do not end.
func TestStopIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.InfoLevel)
		d := run(t, context.Background(), func(g *daemon) {
			g.Log = zap.New(core)
			g.DrainTimeout = time.Minute
		})
		idle := d.l.dial(t)
		echoes(t, idle)
		drained, deaf := call(d.l.dial(t), taskSleep, "10s"), call(d.l.dial(t), taskDeaf, "1h")
		pass(time.Second)
		d.signal(syscall.SIGTERM)
		require.ErrorIs(t, (<-d.end).err, serialdaemon.ErrDrainTimeout)
		require.NoError(t, <-drained)
		require.Error(t, <-deaf)

		var messages []string
		for _, line := range logs.All()[1:] { // after "listening"
			messages = append(messages, line.Message)
		}
		require.Equal(t, []string{"signal", "stopping", "task does not end", "server stopped", "stopped"}, messages)
		task := logs.FilterMessage("task does not end").All()[0].ContextMap()
		require.Equal(t, "deaf", task["name"])
		require.NotEmpty(t, task["remote"])
		require.Equal(t, time.Minute+time.Second+cutGrace, task["age"])
		report := logs.FilterMessage("server stopped").All()[0].ContextMap()
		require.Equal(t, map[string]any{"idle": int64(1), "drained": int64(1), "failed": int64(0), "cut": int64(1), "running": int64(1),
			"error": report["error"]}, report)
		d.server.Wait()
	})
}
