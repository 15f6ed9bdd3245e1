package ship_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/ship"
)

// errStop is why a test ends a File that follows.
var errStop = errors.New("stop")

// following starts a File that follows. The returned function waits for as long as it takes to look at the file n times; stop ends it.
func following(t *testing.T, o *oracle, path string) (look func(n int), stop func() ship.Report) {
	ctx, cancel := context.WithCancelCause(t.Context())
	p := &process{o: o, saved: new(savedState), left: forever}
	opt := options()
	opt.Follow, opt.Patience = true, -1
	var report ship.Report
	done := make(chan error)
	go func() {
		var err error
		report, err = ship.File(ctx, path, "c", p, p, opt)
		done <- err
	}()
	look = func(n int) {
		<-time.After(time.Duration(n)*ship.DefaultPoll + 1)
		synctest.Wait()
	}
	return look, func() ship.Report {
		cancel(errStop)
		require.ErrorIs(t, <-done, errStop)
		return report
	}
}

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := logPath(t)
		var o oracle
		look, stop := following(t, &o, path)
		look(3)
		require.Empty(t, o.all(), "there is no file yet")
		extend(t, path, "one\ntwo\nbegun")
		look(1)
		require.Equal(t, []string{"one", "two"}, o.all(), "a line that is not complete waits")
		look(100)
		require.Len(t, o.all(), 2)
		extend(t, path, " and ended\n")
		look(1)
		require.Equal(t, "begun and ended", o.all()[2])

		extend(t, path, "last words")
		require.NoError(t, os.Rename(path, path+".1"))
		look(1)
		extend(t, path+".1", " of who had it open")
		look(1)
		require.Len(t, o.all(), 3, "the line may still get an end")
		look(1)
		require.Equal(t, "last words of who had it open", o.all()[3])
		look(10)
		extend(t, path, "a new file\n")
		look(1)
		require.Equal(t, "a new file", o.all()[4])

		write(t, path, "cut\n")
		look(1)
		require.Equal(t, "cut", o.all()[5], "truncated, and shorter than before")
		write(t, path, "other text that is longer\n")
		look(2)
		require.Equal(t, "other text that is longer", o.all()[6], "truncated, and longer than before")
		r := stop()
		require.Equal(t, int64(1), r.Rotations)
		require.Equal(t, int64(2), r.Truncations)
		require.Equal(t, int64(7), r.Acknowledged)
		require.Len(t, o.all(), 7)
	})
}

func TestWithoutFollowTheLastLineIsShippedAtTheEnd(t *testing.T) {
	path := logPath(t)
	write(t, path, "one\n\nlast\xff"+strings.Repeat("x", 200<<10))
	var o oracle
	var saved savedState
	report, crashed := life(t, &o, &saved, path, forever, false, options())
	require.False(t, crashed)
	require.Equal(t, int64(3), report.Lines)
	require.Equal(t, int64(2), report.Acknowledged)
	require.Equal(t, int64(1), report.Blank)
	require.Equal(t, int64(1), report.Cut)
	require.Equal(t, int64(1), report.Replaced)
	require.Len(t, o.all(), 2)
	require.True(t, strings.HasPrefix(o.all()[1], "last\uFFFDxxx"))
	require.True(t, strings.HasSuffix(o.all()[1], "bytes]"))
}
