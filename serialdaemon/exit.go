package serialdaemon

import (
	"errors"
	"flag"
)

// The exit codes of a daemon. 2 is none of them: Go's runtime exits with it after a panic and after SIGQUIT.
const (
	// ExitOK is a stop in which every running task ended.
	ExitOK = 0
	// ExitFailure is any other failure, such as an endpoint that failed while it was served.
	ExitFailure = 1
	// ExitListen is an endpoint that could not be bound.
	ExitListen = 3
	// ExitCut is a stop in which tasks were cut off when the time to drain was over.
	ExitCut = 4
	// ExitAborted is a stop that a second signal ended.
	ExitAborted = 5
	// ExitUsage is a wrong flag, configuration or endpoint: starting again does not help.
	ExitUsage = 6
)

// ExitCode returns the exit code for what Run, Wait or Load returned. Of several errors, the kind
// that comes first here is what counts: ErrUsage, ErrListen, ErrServe, ErrDrainTimeout, ErrAborted. flag.ErrHelp
// is no failure.
func ExitCode(err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return ExitOK
	case errors.Is(err, ErrUsage):
		return ExitUsage
	case errors.Is(err, ErrListen):
		return ExitListen
	case errors.Is(err, ErrServe):
		return ExitFailure
	case errors.Is(err, ErrDrainTimeout):
		return ExitCut
	case errors.Is(err, ErrAborted):
		return ExitAborted
	}
	return ExitFailure
}
