package serialdaemon

import (
	"errors"
	"fmt"
	"strings"
)

// The kinds of errors that end a daemon. ExitCode tells them apart.
var (
	// ErrUsage is a configuration, a flag or an endpoint's URL that is wrong.
	ErrUsage = errors.New("serialdaemon: wrong usage")
	// ErrListen is an endpoint that cannot be bound.
	ErrListen = errors.New("serialdaemon: cannot listen")
	// ErrServe is an endpoint that has failed while it was served.
	ErrServe = errors.New("serialdaemon: cannot serve")
)

// How a stop may end.
var (
	// ErrDrainTimeout is a stop in which connections were cut off, because the time to drain was over.
	ErrDrainTimeout = errors.New("serialdaemon: the time to drain is over")
	// ErrAborted is a stop in which connections were cut off, because a second signal wanted it.
	ErrAborted = errors.New("serialdaemon: stopped at once, by a second signal")
)

// How a Group cannot be used.
var (
	// ErrStopping is a Start during a stop. Afterwards it is possible again.
	ErrStopping = errors.New("serialdaemon: the group is being stopped")
	// ErrWaiting is a Wait, Run or CloseOnAbort while another one waits.
	ErrWaiting = errors.New("serialdaemon: somebody waits for the group's signals already")
)

// What may be in the way of a unix socket. Both are behind an EndpointError whose Kind is ErrListen.
var (
	// ErrInUse is a unix socket on which somebody listens.
	ErrInUse = errors.New("serialdaemon: somebody listens on this socket")
	// ErrNotSocket is a file that is no socket. It is never removed.
	ErrNotSocket = errors.New("serialdaemon: the file is not a socket")
)

// prefix begins the messages of all errors.
const prefix = "serialdaemon: "

// withoutPrefix returns a message for one that has the prefix already. Of errors that are joined the first line has
// it, and each further one, which stands for itself.
func withoutPrefix(err error) string {
	return strings.ReplaceAll(strings.TrimPrefix(err.Error(), prefix), "\n"+prefix, "\n")
}

// reason is an error of the application's, and where it was.
type reason struct {
	where string
	kind  error // nil: none
	err   error
}

// Error says where, and then what the application says.
func (r *reason) Error() string { return prefix + r.where + ": " + withoutPrefix(r.err) }

// Unwrap returns the kind, if there is one, and the error.
func (r *reason) Unwrap() []error {
	if r.kind == nil {
		return []error{r.err}
	}
	return []error{r.kind, r.err}
}

// EndpointError says which endpoint could not be used, and why.
type EndpointError struct {
	// Endpoint is its URL.
	Endpoint string
	// Kind is ErrUsage, ErrListen or ErrServe.
	Kind error
	// Err is the reason.
	Err error
}

// Error names the endpoint and the reason.
func (e *EndpointError) Error() string { return prefix + e.Endpoint + ": " + withoutPrefix(e.Err) }

// Unwrap returns the kind and the reason.
func (e *EndpointError) Unwrap() []error { return []error{e.Kind, e.Err} }

// UnknownError is a name that means nothing: of a scheme, of an endpoint's parameter, of a configuration key.
type UnknownError struct {
	// What it would be the name of, for instance "parameter".
	What string
	// Name is as it was given.
	Name string
	// Known are the names that mean something.
	Known []string
}

// Nearest returns the known name that Name resembles, "" if there is none.
func (e *UnknownError) Nearest() string { return nearest(e.Name, e.Known) }

// Error suggests the nearest name, or says which there are.
func (e *UnknownError) Error() string {
	text := fmt.Sprintf("serialdaemon: unknown %s %q", e.What, e.Name)
	if near := e.Nearest(); near != "" {
		return text + fmt.Sprintf(", did you mean %q?", near)
	}
	if len(e.Known) == 0 {
		return text + ", there is none"
	}
	return text + ", there are: " + strings.Join(e.Known, ", ")
}

// Unwrap returns ErrUsage.
func (e *UnknownError) Unwrap() error { return ErrUsage }
