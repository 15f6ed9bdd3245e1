package serialserver_test

import (
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/serialkit/serialkit/serialserver"
)

// observed returns a logger and what it logs.
func observed() (*zap.Logger, *observer.ObservedLogs) {
	core, logs := observer.New(zap.DebugLevel)
	return zap.New(core), logs
}

// A client logs to the server's logger, whichever that is, until it has its own.
func TestLogIsInherited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serialserver.New(nil)
		srv.Register(1, func(_ ctx, _ client, _ reader, lg *zap.Logger, _ ...interface{}) (io.Reader, error) {
			lg.Info("in a task")
			return nil, nil
		}, "")
		s := connect(t, srv)
		synctest.Wait()
		c := srv.Clients()[0]
		runs := func(want *observer.ObservedLogs) {
			t.Helper()
			s.send(request(1, ""))
			s.wants(ok(""))
			if want != nil {
				require.Equal(t, map[string]any{"remote": "client"}, want.TakeAll()[0].ContextMap())
			}
		}
		runs(nil) // nobody
		servers, serverLogs := observed()
		srv.SetLogger(servers)
		require.Same(t, servers, srv.Log())
		require.Same(t, servers, c.Log())
		runs(serverLogs)
		clients, clientLogs := observed()
		c.SetLogger(clients)
		require.Same(t, clients, c.Log())
		require.Same(t, servers, srv.Log())
		runs(clientLogs)
		c.SetLogger(nil)
		require.Same(t, servers, c.Log())
		runs(serverLogs)
		srv.SetLogger(nil)
		require.NotNil(t, srv.Log())
		require.Same(t, srv.Log(), c.Log())
		runs(nil)
		require.Zero(t, serverLogs.Len()+clientLogs.Len())
	})
}

// The same for metrics. Whoever was told that something began is told that it ended.
func TestMetricsAreInherited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first, second, own serialserver.MemoryMetrics
		srv := newServer(nil, func(_ ctx, c client, _ reader) (io.Reader, error) {
			if c.Metrics() == serialserver.Metrics(&own) {
				c.SetMetrics(nil)
			}
			return nil, nil
		})
		srv.SetMetrics(&first)
		require.Same(t, &first, srv.Metrics())
		s := connect(t, srv)
		synctest.Wait()
		c := srv.Clients()[0]
		require.Same(t, &first, c.Metrics())
		runs := func(m *serialserver.MemoryMetrics, want uint64) {
			t.Helper()
			s.send(request(testTask, ""))
			s.wants(ok(""))
			synctest.Wait()
			require.Equal(t, serialserver.TaskStats{Started: want, OK: want}, m.Tasks(testTask))
		}
		runs(&first, 1)
		srv.SetMetrics(&second)
		runs(&second, 1)
		c.SetMetrics(&own)
		require.Same(t, &own, c.Metrics())
		runs(&own, 1) // which sets the server's again
		require.Same(t, &second, c.Metrics())
		runs(&second, 2)
		s.Close()
		s.result()
		require.Equal(t, serialserver.ConnectionStats{Opened: 1,
			Closed: map[serialserver.CloseReason]uint64{serialserver.ClosedByPeer: 1}}, first.Connections())
		require.Zero(t, second.Connections().Opened)
		srv.SetMetrics(nil)
		require.NotNil(t, srv.Metrics())
	})
}
