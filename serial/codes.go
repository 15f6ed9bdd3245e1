package serial

import "strconv"

// TaskCode is the first byte of a request: which task the message is for (docs/protocol.md,
// "Task codes"). 0 to 249 are the application's.
type TaskCode uint8

// The reserved task codes. 253 and 254 are kept free.
const (
	// TaskKeepAlive is answered OK and an empty stream. It resets the server's wait timeout and
	// runs no TaskFunc.
	TaskKeepAlive TaskCode = 250
	// TaskDescribe is answered OK and a JSON document, see [Description].
	TaskDescribe TaskCode = 251
	// TaskCancel cancels the running task and has no response of its own. It is valid only where
	// it was negotiated; elsewhere it is an unknown task.
	TaskCancel TaskCode = 252
	// TaskDisconnect says that the client is done. It is answered Goodbye, then the connection
	// is closed.
	TaskDisconnect TaskCode = 255
)

// firstReserved is the lowest code that no application may use.
const firstReserved = 250

// IsReserved reports whether t belongs to the protocol (250 to 255) and not to the application.
func (t TaskCode) IsReserved() bool { return t >= firstReserved }

// String returns the code in decimal, and the name of a reserved one: "7", "250 (KeepAlive)".
func (t TaskCode) String() string {
	switch t {
	case TaskKeepAlive:
		return named(uint8(t), "KeepAlive")
	case TaskDescribe:
		return named(uint8(t), "Describe")
	case TaskCancel:
		return named(uint8(t), "Cancel")
	case TaskDisconnect:
		return named(uint8(t), "Disconnect")
	}
	return strconv.Itoa(int(t))
}

// ResponseCode is the first byte of a response (docs/protocol.md, "Responses").
type ResponseCode uint8

// The response codes. There are no others: a client that reads another one has lost the
// connection's step and closes it.
const (
	// ResponseOK is followed by the response as a block stream.
	ResponseOK ResponseCode = 0
	// ResponseError is followed by one [ErrorCode] byte.
	ResponseError ResponseCode = 1
	// ResponseGoodbye is followed by nothing: the connection is closing and this task, with all
	// that were sent after it, was not handled.
	ResponseGoodbye ResponseCode = 2
	// ResponseProcessing says that the task is still running and that another response code
	// follows. It is sent only where it was negotiated.
	ResponseProcessing ResponseCode = 3
)

// String returns the code in decimal with its name: "2 (Goodbye)".
func (r ResponseCode) String() string {
	switch r {
	case ResponseOK:
		return named(uint8(r), "OK")
	case ResponseError:
		return named(uint8(r), "Error")
	case ResponseGoodbye:
		return named(uint8(r), "Goodbye")
	case ResponseProcessing:
		return named(uint8(r), "Processing")
	}
	return strconv.Itoa(int(r))
}

// ErrorCode is the byte after ResponseError: why the task failed (docs/protocol.md, "Error
// codes"). 0 to 249 are the application's.
type ErrorCode uint8

// The reserved error codes. An application may answer with them where their meaning fits.
const (
	// ErrorUnknownTask says that the server has no task of that code.
	ErrorUnknownTask ErrorCode = 250
	// ErrorTooLarge says that a message is over the server's limit.
	ErrorTooLarge ErrorCode = 251
	// ErrorBusy says that the server has no room for the task now.
	ErrorBusy ErrorCode = 252
	// ErrorCancelled says that the task was cancelled before it had its answer.
	ErrorCancelled ErrorCode = 253
	// ErrorDeadlineExceeded says that the task did not finish in its time.
	ErrorDeadlineExceeded ErrorCode = 254
	// ErrorDenied says that this client may not run the task.
	ErrorDenied ErrorCode = 255
)

// String returns the code in decimal, and the name of a reserved one: "10", "252 (busy)".
func (e ErrorCode) String() string {
	switch e {
	case ErrorUnknownTask:
		return named(uint8(e), "unknown task")
	case ErrorTooLarge:
		return named(uint8(e), "too large")
	case ErrorBusy:
		return named(uint8(e), "busy")
	case ErrorCancelled:
		return named(uint8(e), "cancelled")
	case ErrorDeadlineExceeded:
		return named(uint8(e), "deadline exceeded")
	case ErrorDenied:
		return named(uint8(e), "denied")
	}
	return strconv.Itoa(int(e))
}

func named(code uint8, name string) string {
	return strconv.Itoa(int(code)) + " (" + name + ")"
}
