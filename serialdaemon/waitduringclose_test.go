package serialdaemon_test

import (
	"context"
	"os"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
)

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
