package serial

import "fmt"

// ErrorCoder is an error that has an answer on the wire. A TaskFunc whose error is one, or wraps
// one (it is looked for with errors.As), answers ResponseError and this code, and the session goes
// on. Any other error drops the connection. On the client, the error of a call that was answered
// so wraps an ErrorCoder with the code that was received.
type ErrorCoder interface {
	error
	ErrorCode() ErrorCode
}

// Error is the ready-made ErrorCoder: a code for the peer and an error for the log. Only the code
// crosses the wire.
type Error struct {
	// Code is what the peer is told.
	Code ErrorCode
	// Err is the reason, for this side alone. It may be nil.
	Err error
}

var _ ErrorCoder = (*Error)(nil)

// Errorf returns an *Error with the code and a reason formatted as by fmt.Errorf, %w included.
func Errorf(code ErrorCode, format string, args ...any) error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// Error returns the reason and the code: "overflow (serial: error 10)".
func (e *Error) Error() string {
	if e.Err == nil {
		return "serial: error " + e.Code.String()
	}
	return e.Err.Error() + " (serial: error " + e.Code.String() + ")"
}

// ErrorCode returns Code.
func (e *Error) ErrorCode() ErrorCode { return e.Code }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }
