package serialserver

import (
	"time"

	"github.com/serialkit/serialkit/serial"
)

// Metrics is told what happens on a server's connections. Its methods are called from the
// connections' goroutines, many at once, between tasks: they must be quick and must not block or
// panic. MemoryMetrics is one that answers questions.
type Metrics interface {
	// ConnectionOpened is called once for each HandleConnection, before anything is read.
	ConnectionOpened(c *Client)
	// ConnectionClosed is called once for each ConnectionOpened, after the connection was closed.
	ConnectionClosed(c *Client, reason CloseReason)
	// TaskStarted is called when the code of a task was read, registered or not. KeepAlive,
	// Describe and Disconnect are no tasks.
	TaskStarted(c *Client, code serial.TaskCode)
	// TaskDone is called once for each TaskStarted.
	TaskDone(c *Client, r TaskResult)
}

// TaskResult says how a task ended.
type TaskResult struct {
	// Code and Name are the task's; an unknown task has no name.
	Code serial.TaskCode
	Name string
	// Outcome is what became of it.
	Outcome Outcome
	// ErrorCode is what it answered where Outcome is OutcomeError.
	ErrorCode serial.ErrorCode
	// Err is why Outcome is not OutcomeOK: what the TaskFunc returned, a *PanicError, or what the
	// connection failed with.
	Err error
	// Duration is from when the task code was read to when the answer was complete, though maybe
	// still buffered.
	Duration time.Duration
	// BytesIn and BytesOut count the message as far as the task has read it, and the answer,
	// without block headers.
	BytesIn, BytesOut uint64
}

// Outcome is what became of a task.
type Outcome uint8

// The outcomes.
const (
	// OutcomeOK: the answer is complete.
	OutcomeOK Outcome = iota
	// OutcomeError: it was answered with an error code; an unknown task, with 250.
	OutcomeError
	// OutcomeDropped: the TaskFunc returned an error that has no code, or its answer failed; the
	// connection was dropped.
	OutcomeDropped
	// OutcomePanicked: it panicked; the connection was dropped.
	OutcomePanicked
	// OutcomeFailed: the connection failed, or was closed on this side, before the answer was
	// complete.
	OutcomeFailed

	numOutcomes
)

// String returns the outcome's name.
func (o Outcome) String() string {
	return nameOf(o, "ok", "error", "dropped", "panicked", "failed")
}

// CloseReason is why a connection was closed.
type CloseReason uint8

// The reasons.
const (
	// ClosedByPeer: the client closed it between two tasks.
	ClosedByPeer CloseReason = iota
	// ClosedIdle: the client was idle for Timeout.Wait.
	ClosedIdle
	// ClosedGraceful: Disconnect, the connection's context, or the client's Disconnect request.
	ClosedGraceful
	// ClosedCut: a task did not end within the time of a Disconnect.
	ClosedCut
	// ClosedByServer: Client.Close.
	ClosedByServer
	// ClosedDropped: a task returned an error without a code, panicked, or its answer failed.
	ClosedDropped
	// ClosedUnread: a task left more of its message unread than the limit.
	ClosedUnread
	// ClosedRead: a message was cut, timed out or came too slowly, or reading failed otherwise.
	ClosedRead
	// ClosedWrite: the client did not take an answer in time, or writing failed otherwise.
	ClosedWrite
	// ClosedRefused: there was no room for the client.
	ClosedRefused

	numReasons
)

// String returns the reason in words.
func (r CloseReason) String() string {
	return nameOf(r, "closed by the client", "idle", "graceful disconnect",
		"cut off at the end of the disconnect time", "closed by the server", "dropped",
		"too much input unread", "read failed", "write failed", "refused")
}

func nameOf[T ~uint8](v T, names ...string) string {
	if int(v) < len(names) {
		return names[v]
	}
	return "unknown"
}

// noMetrics is the default Metrics.
type noMetrics struct{}

func (noMetrics) ConnectionOpened(*Client)              {}
func (noMetrics) ConnectionClosed(*Client, CloseReason) {}
func (noMetrics) TaskStarted(*Client, serial.TaskCode)  {}
func (noMetrics) TaskDone(*Client, TaskResult)          {}
