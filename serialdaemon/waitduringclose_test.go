package serialdaemon_test

import (
	"context"
	"os"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
)

// A Close that ends between the Start and the Wait of a Run ends the Run, with the errors there were.
func TestCloseDuringRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, broken := range []error{nil, errBroken} {
			g := serialdaemon.Group{Signals: make(chan os.Signal)}
			g.OnStop(func(context.Context) error { return broken })
			l := newListener()
			ended := make(chan error, 1)
			go func() { ended <- g.RunAnd(func() { all(g.Close()) }, newServer(), l.endpoint()) }()
			synctest.Wait()
			require.Len(t, ended, 1)
			require.ErrorIs(t, <-ended, broken)
			require.True(t, l.isClosed())
		}
	})
}

// A Wait that begins while a Close goes on ends with it.
func TestWaitDuringClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := serialdaemon.Group{Signals: make(chan os.Signal)}
		l := newListener()
		_, _, err := g.Start(context.Background(), newServer(), l.endpoint())
		require.NoError(t, err)
		answer := call(l.dial(t), taskSleep, "10s")
		errs := g.Close()
		synctest.Wait()
		returned := g.CloseOnAbort(context.Background())
		require.NoError(t, <-answer)
		require.Empty(t, all(errs))
		require.NoError(t, <-returned)
	})
}
