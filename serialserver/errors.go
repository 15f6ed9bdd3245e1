package serialserver

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/serialkit/serialkit/serial"
)

// The errors of HandleConnection, for errors.Is. It also returns those of the connection, such as
// io.ErrUnexpectedEOF for a message that was cut and os.ErrDeadlineExceeded for a Read or Write
// timeout, and those of TaskFuncs, all with what was going on around them.
var (
	// ErrGracefulDisconnect: the connection was ended by Disconnect, by its context or by the
	// client's own Disconnect request. Every answer was sent; what the server had not begun was refused
	// with Goodbye, unless the client took no more of that.
	ErrGracefulDisconnect = errors.New("serialserver: graceful disconnect")
	// ErrTimeoutWaitingForTask: the client was idle for Timeout.Wait. It was told Goodbye, unless it took
	// no more of that.
	ErrTimeoutWaitingForTask = errors.New("serialserver: timeout waiting for a task")
	// ErrDisconnectTimeout: a task was still running when its Disconnect's time had passed, and
	// its connection was closed without an answer.
	ErrDisconnectTimeout = errors.New("serialserver: task cut off at the end of the disconnect time")
	// ErrClosed: Client.Close or Server.Close was called.
	ErrClosed = errors.New("serialserver: client closed")
	// ErrUnreadInput: a task left more of its message unread than the limit.
	ErrUnreadInput = errors.New("serialserver: more input left unread than the limit")
)

// The causes of a task's context (context.Cause), beside ErrDisconnectTimeout, ErrClosed, an
// os.ErrDeadlineExceeded for a message that comes too slowly, and those of HandleConnection's own
// context. After the task has ended the cause is context.Canceled.
var (
	// ErrTaskCancelled: Client.Cancel was called.
	ErrTaskCancelled = errors.New("serialserver: task cancelled")
	// ErrTaskTimeout: the task took longer than its time, see Limits.TaskTime and TaskTimeout. It is a
	// context.DeadlineExceeded.
	ErrTaskTimeout = fmt.Errorf("serialserver: task timeout: %w", context.DeadlineExceeded)
	// ErrClientVanished: the client closed the connection, or it failed, while the task ran. An
	// answer is written all the same, for clients that close only their sending side.
	ErrClientVanished = errors.New("serialserver: client vanished")
)

// The errors of a TaskFunc's in, beside those of the connection.
var (
	// ErrTaskEnded is returned by in once the task has been answered.
	ErrTaskEnded = errors.New("serialserver: read of the message after its task has ended")
	// ErrConcurrentRead is returned by in while another goroutine reads it.
	ErrConcurrentRead = errors.New("serialserver: concurrent read of a message")
)

// PanicError is what HandleConnection returns after a TaskFunc, or the reader that it returned,
// has panicked.
type PanicError struct {
	// Value is what was passed to panic.
	Value any
	// Stack is the stack of the panic, as by debug.Stack.
	Stack []byte
}

// Error returns the value without the stack, or its type where the value is no error, fmt.Stringer or
// basic value.
func (e *PanicError) Error() string { return "serialserver: panic: " + panicText(e.Value) }

// panicText formats only what ends: a value may contain itself, which package fmt follows until the
// process dies.
func panicText(v any) string {
	switch v.(type) {
	case error, fmt.Stringer:
		return fmt.Sprint(v)
	}
	if k := reflect.ValueOf(v).Kind(); k <= reflect.Complex128 || k == reflect.String {
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("a value of type %T", v)
}

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// taskError says which task an error belongs to.
type taskError struct {
	doing string
	code  serial.TaskCode
	name  string
	err   error
}

func (e *taskError) Error() string {
	return fmt.Sprintf("serialserver: %s task %v (%s): %v", e.doing, e.code, e.name, e.err)
}

func (e *taskError) Unwrap() error { return e.err }
