package serialdaemon_test

import (
	"errors"
	"flag"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
)

func TestExitCode(t *testing.T) {
	_, usage := serialdaemon.ParseEndpoint("nonsense")
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{flag.ErrHelp, 0},
		{errBroken, 1},
		{serialdaemon.ErrServe, 1},
		{usage, 6},
		{&serialdaemon.UnknownError{}, 6},
		{serialdaemon.ErrListen, 3},
		{serialdaemon.ErrDrainTimeout, 4},
		{serialdaemon.ErrAborted, 5},
		{errors.Join(errBroken, serialdaemon.ErrDrainTimeout), 4},
		{errors.Join(serialdaemon.ErrDrainTimeout, serialdaemon.ErrServe), 1},
		{errors.Join(serialdaemon.ErrListen, usage), 6},
	} {
		require.Equal(t, test.want, serialdaemon.ExitCode(test.err), "%v", test.err)
	}
}
