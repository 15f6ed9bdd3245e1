package serialclient

import (
	"errors"
	"fmt"

	"github.com/serialkit/serialkit/serial"
)

// Outcome is what is known of a call that failed.
type Outcome uint8

// The outcomes.
const (
	// Unknown: bytes of the call were sent and no answer came. The task may have run, or may be
	// running still.
	Unknown Outcome = iota
	// NotRun: the task certainly did not run and never will: no byte of the call was sent, or the
	// server answered Goodbye. It is safe to call again anywhere.
	NotRun
	// Failed: the server answered an error code; or Describe, something that is no description.
	Failed
)

// String returns the outcome in words.
func (o Outcome) String() string {
	switch o {
	case NotRun:
		return "not run"
	case Failed:
		return "failed"
	}
	return "unknown whether it ran"
}

// Error is the error of every call that failed. It wraps the reason: a serial.ErrorCoder when the
// server answered an error code, and otherwise one of this package's errors, the context's or the
// connection's.
type Error struct {
	// Task is the code of the task that was called; 0 where Dial or Client.Pipeline failed, which
	// call none.
	Task serial.TaskCode
	// Outcome is what is known of it.
	Outcome Outcome
	// Err is the reason.
	Err error
	// Address is where a Pool's call was attempted, if it was once: several attempts have their addresses in an
	// AttemptsError. "" where nothing was attempted, and of a Client's call.
	Address string

	noTask bool // Task is none
}

// Error returns the task, the outcome, the address, if it is known, and the reason.
func (e *Error) Error() string {
	at := ""
	if e.Address != "" {
		at = " at " + e.Address
	}
	if e.noTask {
		return fmt.Sprintf("serialclient: %v%s: %v", e.Outcome, at, e.Err)
	}
	return fmt.Sprintf("serialclient: task %v %v%s: %v", e.Task, e.Outcome, at, e.Err)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// OutcomeOf returns the outcome that err, the error of a call, carries. It is Unknown for an error
// of any other origin; ask it of errors only, nil being no failure.
func OutcomeOf(err error) Outcome {
	var e *Error
	if errors.As(err, &e) {
		return e.Outcome
	}
	return Unknown
}

// SafeToRetry reports whether err says that the task did not run, so that the call may be made
// again, here or elsewhere, whatever it does.
func SafeToRetry(err error) bool { return OutcomeOf(err) == NotRun }

// The reasons, for errors.Is.
var (
	// ErrGoodbye: the server said Goodbye. It closes the connection and did not handle the call.
	ErrGoodbye = errors.New("serialclient: the server said goodbye")
	// ErrClosed: the connection had been closed by Close or Disconnect.
	ErrClosed = errors.New("serialclient: client closed")
	// ErrBroken: an earlier call left the connection unusable, and it was closed.
	ErrBroken = errors.New("serialclient: connection closed after an earlier failure")
	// ErrServerGone: the server had closed the connection, or it had failed, before the call.
	ErrServerGone = errors.New("serialclient: connection closed by the server")
	// ErrProtocol: the server sent what is no response.
	ErrProtocol = errors.New("serialclient: malformed response")
	// ErrTooLarge: the response, of a call or in a pipeline, was over the limit, see WithMaxResponse.
	// The task has run. Its connection is closed, and what a pipeline sent after it is Unknown.
	ErrTooLarge = errors.New("serialclient: response over the limit")
	// ErrPipelineFull: a pipeline sent without receiving until its room was full, see Pipeline.Send.
	ErrPipelineFull = errors.New("serialclient: too many responses of the pipeline not received")
	// ErrPipelineClosed: the pipeline was used after its Close.
	ErrPipelineClosed = errors.New("serialclient: pipeline closed")
	// ErrReservedCode: the task code belongs to the protocol. Use the Client's method for it.
	ErrReservedCode = errors.New("serialclient: reserved task code")
	// ErrStreamClosed: the stream was read after Close.
	ErrStreamClosed = errors.New("serialclient: stream closed")
)

// The reasons that show only behind ErrBroken.
var (
	errUnfinished = errors.New("serialclient: a response ended before its request was sent")
	// A TLS connection takes no write after one that was interrupted.
	errInterruptedWrite = errors.New("serialclient: a write over TLS was interrupted")
	errAbandoned        = errors.New("serialclient: the response of an abandoned call took too long")
)

// errNothingSent says that there is no call whose response could be received.
var errNothingSent = errors.New("serialclient: nothing was sent that could be received")

// notRun is the error of a call that was not sent.
func notRun(task serial.TaskCode, err error) error {
	return &Error{Task: task, Outcome: NotRun, Err: err}
}

// nothingRun is the error of what would have led to calls.
func nothingRun(err error) error {
	return &Error{Outcome: NotRun, Err: err, noTask: true}
}
