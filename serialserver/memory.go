package serialserver

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/serialkit/serialkit/serial"
)

// MemoryMetrics is a Metrics that keeps counts and latencies in memory and answers questions about
// them. It takes some kilobytes for each task code that was ever used. The zero MemoryMetrics is
// ready to use; its methods are safe for concurrent use.
type MemoryMetrics struct {
	opened atomic.Uint64
	closed [numReasons]atomic.Uint64
	tasks  [256]atomic.Pointer[taskCounts]
	grow   sync.Mutex // held while an entry of tasks is made
}

var _ Metrics = (*MemoryMetrics)(nil)

// TaskStats is what MemoryMetrics knows of one task code.
type TaskStats struct {
	// Started counts the tasks that have begun; those not among the others still run.
	Started uint64
	// OK, Error, Dropped, Panicked and Failed count those that have ended, by Outcome.
	OK, Error, Dropped, Panicked, Failed uint64
	// BytesIn and BytesOut are the sums over those that have ended.
	BytesIn, BytesOut uint64
}

// ConnectionStats is what MemoryMetrics knows of the connections.
type ConnectionStats struct {
	// Opened counts all, Open those not closed yet.
	Opened, Open uint64
	// Closed counts them by reason. Reasons that have not occurred are missing.
	Closed map[CloseReason]uint64
}

// taskCounts is one task code's.
type taskCounts struct {
	started           atomic.Uint64
	outcomes          [numOutcomes]atomic.Uint64
	bytesIn, bytesOut atomic.Uint64
	latency           histogram
}

// ConnectionOpened implements Metrics.
func (m *MemoryMetrics) ConnectionOpened(*Client) { m.opened.Add(1) }

// ConnectionClosed implements Metrics.
func (m *MemoryMetrics) ConnectionClosed(_ *Client, reason CloseReason) {
	m.closed[reason].Add(1)
}

// TaskStarted implements Metrics.
func (m *MemoryMetrics) TaskStarted(_ *Client, code serial.TaskCode) {
	m.counts(code).started.Add(1)
}

// TaskDone implements Metrics.
func (m *MemoryMetrics) TaskDone(_ *Client, r TaskResult) {
	t := m.counts(r.Code)
	t.outcomes[r.Outcome].Add(1)
	t.bytesIn.Add(r.BytesIn)
	t.bytesOut.Add(r.BytesOut)
	t.latency.add(r.Duration)
}

func (m *MemoryMetrics) counts(code serial.TaskCode) *taskCounts {
	if t := m.tasks[code].Load(); t != nil {
		return t
	}
	m.grow.Lock()
	defer m.grow.Unlock()
	if m.tasks[code].Load() == nil {
		m.tasks[code].Store(new(taskCounts))
	}
	return m.tasks[code].Load()
}

// Connections returns what is known of the connections.
func (m *MemoryMetrics) Connections() ConnectionStats {
	s := ConnectionStats{Closed: make(map[CloseReason]uint64)}
	var closed uint64
	for i := range m.closed {
		if n := m.closed[i].Load(); n > 0 {
			s.Closed[CloseReason(i)] = n
			closed += n
		}
	}
	s.Opened = m.opened.Load() // after closed, so that Open is not negative
	s.Open = s.Opened - closed
	return s
}

// Tasks returns what is known of one task code.
func (m *MemoryMetrics) Tasks(code serial.TaskCode) TaskStats {
	t := m.tasks[code].Load()
	if t == nil {
		return TaskStats{}
	}
	return TaskStats{
		OK:       t.outcomes[OutcomeOK].Load(),
		Error:    t.outcomes[OutcomeError].Load(),
		Dropped:  t.outcomes[OutcomeDropped].Load(),
		Panicked: t.outcomes[OutcomePanicked].Load(),
		Failed:   t.outcomes[OutcomeFailed].Load(),
		BytesIn:  t.bytesIn.Load(),
		BytesOut: t.bytesOut.Load(),
		Started:  t.started.Load(), // after the ended ones, so that it is not less than their sum
	}
}

// TaskCodes returns the codes of which a task has started, ascending.
func (m *MemoryMetrics) TaskCodes() []serial.TaskCode {
	var codes []serial.TaskCode
	for i := range m.tasks {
		if m.tasks[i].Load() != nil {
			codes = append(codes, serial.TaskCode(i))
		}
	}
	return codes
}

// Latency returns the quantile q, 0 to 1, of the durations of the ended tasks of one code: a
// duration that at least that share of them did not exceed, at most 1/16 above the true one. It is
// 0 if there are none.
func (m *MemoryMetrics) Latency(code serial.TaskCode, q float64) time.Duration {
	t := m.tasks[code].Load()
	if t == nil {
		return 0
	}
	return t.latency.quantile(q)
}
