package main

import (
	"context"
	"errors"
	"net"
	"os"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/ship"
	"github.com/serialkit/serialkit/serialclient"
)

// The exit codes of the commands that ask a collector, beside exitOK, exitFailure and exitUsage.
const (
	exitConnect    = 3 // there is no connection
	exitIncomplete = 4 // some of what was asked for is missing: the command said what
)

// exitOf returns the exit code for what a command has failed with.
func exitOf(err error) int {
	var dial *ship.DialError
	var op *net.OpError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, logwire.ErrQuery), errors.Is(err, logclient.ErrAddress), errors.Is(err, errUsage):
		return exitUsage
	case errors.As(err, &dial), errors.As(err, &op) && op.Op == "dial":
		return exitConnect
	case errors.Is(err, logclient.ErrIncomplete), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		serialclient.OutcomeOf(err) == serialclient.Unknown && isCall(err):
		return exitIncomplete
	}
	return exitFailure
}

// isCall reports whether err is that of a call which was under way.
func isCall(err error) bool {
	var call *serialclient.Error
	return errors.As(err, &call)
}
