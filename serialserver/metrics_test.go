package serialserver_test

import (
	"io"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// recorder is a Metrics that keeps the last result.
type recorder struct {
	serialserver.MemoryMetrics
	last serialserver.TaskResult
}

func (r *recorder) TaskDone(c client, result serialserver.TaskResult) {
	r.last = result
	r.MemoryMetrics.TaskDone(c, result)
}

// Each outcome and each reason, once each.
func TestOutcomesAndReasons(t *testing.T) {
	tests := []struct {
		name    string
		f       task
		does    func(*session, client) // after the request
		outcome serialserver.Outcome
		reason  serialserver.CloseReason
		in, out uint64
		code    serial.ErrorCode
		err     error
	}{
		{"ok", echo, (*session).half, serialserver.OutcomeOK, serialserver.ClosedByPeer, 3, 3, 0, nil},
		{"idle", echo, func(*session, client) { sleep(serialserver.DefaultWait) }, serialserver.OutcomeOK, serialserver.ClosedIdle, 3, 3, 0, nil},
		{"graceful", echo, func(_ *session, c client) { c.Disconnect(0) }, serialserver.OutcomeOK, serialserver.ClosedGraceful, 3, 3, 0, nil},
		{"error", fails(coded(7)), (*session).half, serialserver.OutcomeError, serialserver.ClosedByPeer, 0, 0, 7, coded(7)},
		{"dropped", fails(errBroken), (*session).half, serialserver.OutcomeDropped, serialserver.ClosedDropped, 0, 0, 0, errBroken},
		{"panicked", func(ctx, client, reader) (io.Reader, error) { panic(errBroken) }, (*session).half, serialserver.OutcomePanicked, serialserver.ClosedDropped, 0, 0, 0, errBroken},
		{"broken answer", returns(&once{[]byte("ab"), errBroken}), (*session).half, serialserver.OutcomeDropped, serialserver.ClosedDropped, 3, 2, 0, errBroken},
		{"client closed", sleeper(1), func(_ *session, c client) { c.Close() }, serialserver.OutcomeFailed, serialserver.ClosedByServer, 0, 0, 0, serialserver.ErrClosed},
		{"cut, then ok", sleeper(2), func(_ *session, c client) { c.Disconnect(1); sleep(2) }, serialserver.OutcomeFailed, serialserver.ClosedCut, 0, 0, 0, serialserver.ErrDisconnectTimeout},
		{"cut, then error", stubborn(coded(7)), func(_ *session, c client) { c.Disconnect(1); sleep(2) }, serialserver.OutcomeFailed, serialserver.ClosedCut, 0, 0, 0, serialserver.ErrDisconnectTimeout},
		{"cut, then dropped", stubborn(errBroken), func(_ *session, c client) { c.Disconnect(1); sleep(2) }, serialserver.OutcomeFailed, serialserver.ClosedCut, 0, 0, 0, serialserver.ErrDisconnectTimeout},
		{"cut", endlessly, func(_ *session, c client) { c.Disconnect(1); sleep(2) }, serialserver.OutcomeFailed, serialserver.ClosedCut, 0, 64 * serial.MaxBlock, 0, serialserver.ErrDisconnectTimeout},
		{"write failed", endlessly, func(s *session, _ client) { s.Close() }, serialserver.OutcomeFailed, serialserver.ClosedWrite, 0, 64 * serial.MaxBlock, 0, syscall.EPIPE},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var m recorder
				srv := newServer(nil, test.f)
				srv.SetMetrics(&m)
				s := connect(t, srv, serialtest.Buffer(16<<10))
				s.send(request(testTask, "msg"))
				synctest.Wait()
				test.does(s, srv.Clients()[0])
				synctest.Wait()
				s.Close()
				s.result()
				require.ErrorIs(t, m.last.Err, test.err)
				m.last.Duration, m.last.Err = 0, nil
				require.Equal(t, serialserver.TaskResult{Code: testTask, Name: "test", Outcome: test.outcome,
					ErrorCode: test.code, BytesIn: test.in, BytesOut: test.out}, m.last)
				require.Equal(t, serialserver.ConnectionStats{Opened: 1,
					Closed: map[serialserver.CloseReason]uint64{test.reason: 1}}, m.Connections())
			})
		})
	}
}

// stubborn ignores its context for 2 ns and fails then.
func stubborn(err error) task {
	return func(ctx, client, reader) (io.Reader, error) {
		sleep(2)
		return nil, err
	}
}

func endlessly(ctx, client, reader) (io.Reader, error) { return endless{}, nil }

func (s *session) half(client) { s.closeWrite() }

// The two that are about the message.
func TestReasonsOfTheMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m recorder
		srv := newServer(nil, reads(-1), serialserver.WithLimits(serialserver.Limits{UnreadInput: -1}))
		srv.SetMetrics(&m)
		s := connect(t, srv)
		s.send(beginning(testTask, "cut"))
		s.closeWrite()
		s.result()
		require.Equal(t, serialserver.OutcomeFailed, m.last.Outcome)
		s = connect(t, srv)
		s.send(request(emptyTask, "unread"))
		s.wants(ok(""), goodbye)
		s.Close()
		s.result()
		require.Equal(t, map[serialserver.CloseReason]uint64{serialserver.ClosedRead: 1, serialserver.ClosedUnread: 1},
			m.Connections().Closed)
	})
}

// An unknown task is counted, the protocol's own are not.
func TestWhatIsATask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m recorder
		srv := newServer(nil, nil)
		srv.SetMetrics(&m)
		s := connect(t, srv)
		s.send(request(serial.TaskKeepAlive, ""), request(serial.TaskDescribe, ""), request(99, "msg"), disconnect)
		s.answer()
		s.answer()
		s.wants(failed(250), goodbye)
		s.Close()
		s.result()
		require.Equal(t, []serial.TaskCode{99}, m.TaskCodes())
		require.Equal(t, serialserver.TaskStats{Started: 1, Error: 1}, m.Tasks(99))
		var coder serial.ErrorCoder
		require.ErrorAs(t, m.last.Err, &coder)
		m.last.Err = nil
		require.Equal(t, serialserver.TaskResult{Code: 99, Outcome: serialserver.OutcomeError, ErrorCode: 250}, m.last)
		require.Zero(t, m.Tasks(serial.TaskKeepAlive))
	})
}

// The latency is from the task code to the complete answer.
func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m recorder
		srv := newServer(nil, func(ctx, client, reader) (io.Reader, error) {
			sleep(time.Second)
			return &patient{reads: 1}, nil
		})
		srv.SetMetrics(&m)
		s := connect(t, srv)
		s.send(request(testTask, ""))
		synctest.Wait()
		require.Equal(t, serialserver.TaskStats{Started: 1}, m.Tasks(testTask))
		require.Equal(t, serialserver.ConnectionStats{Opened: 1, Open: 1, Closed: map[serialserver.CloseReason]uint64{}}, m.Connections())
		require.Zero(t, m.Latency(testTask, 0.5))
		s.wants(ok("x"))
		synctest.Wait()
		require.Equal(t, time.Hour+time.Second, m.last.Duration)
		latency := m.Latency(testTask, 1)
		require.GreaterOrEqual(t, latency, m.last.Duration)
		require.LessOrEqual(t, latency, m.last.Duration*17/16)
	})
}

func TestMemoryMetricsAddUp(t *testing.T) {
	var m serialserver.MemoryMetrics
	require.Empty(t, m.TaskCodes())
	require.Zero(t, m.Tasks(1))
	require.Zero(t, m.Latency(1, 0.5))
	outcomes := []serialserver.Outcome{serialserver.OutcomeOK, serialserver.OutcomeError,
		serialserver.OutcomeDropped, serialserver.OutcomePanicked, serialserver.OutcomeFailed}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for code := serial.TaskCode(1); code != 0; code++ {
				for i, outcome := range outcomes {
					for range i + 1 {
						m.TaskStarted(nil, code)
						m.TaskDone(nil, serialserver.TaskResult{Code: code, Outcome: outcome, BytesIn: 2, BytesOut: 3})
					}
				}
			}
			m.ConnectionOpened(nil)
			m.ConnectionOpened(nil)
			m.ConnectionClosed(nil, serialserver.ClosedWrite)
		})
	}
	all.Wait()
	codes := m.TaskCodes()
	require.Len(t, codes, 255)
	require.True(t, slices.IsSorted(codes))
	for _, code := range codes {
		require.Equal(t, serialserver.TaskStats{Started: 120, OK: 8, Error: 16, Dropped: 24, Panicked: 32, Failed: 40,
			BytesIn: 240, BytesOut: 360}, m.Tasks(code))
	}
	require.Equal(t, serialserver.ConnectionStats{Opened: 16, Open: 8,
		Closed: map[serialserver.CloseReason]uint64{serialserver.ClosedWrite: 8}}, m.Connections())
}

func TestNames(t *testing.T) {
	outcomes := make(map[string]bool)
	for o := serialserver.OutcomeOK; o <= serialserver.OutcomeFailed; o++ {
		outcomes[o.String()] = true
	}
	require.Len(t, outcomes, 5)
	reasons := make(map[string]bool)
	for r := serialserver.ClosedByPeer; r <= serialserver.ClosedRefused; r++ {
		reasons[r.String()] = true
	}
	require.Len(t, reasons, 10)
	require.NotContains(t, outcomes, "unknown")
	require.NotContains(t, reasons, "unknown")
	require.Equal(t, "unknown", serialserver.Outcome(5).String())
	require.Equal(t, "unknown", serialserver.CloseReason(10).String())
	require.Equal(t, "idle", serialserver.ClosedIdle.String())
	require.Equal(t, "panicked", serialserver.OutcomePanicked.String())
}
