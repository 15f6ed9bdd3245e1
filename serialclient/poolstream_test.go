package serialclient_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

// TestPoolStream has its connection until Close, and gives it back once.
func TestPoolStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := onePool(t)
		for range 3 {
			s, err := p.Stream(background, 1, strings.NewReader("hello"))
			require.NoError(t, err)
			answer, err := io.ReadAll(s)
			require.NoError(t, err)
			require.Equal(t, "hello", string(answer))
			require.Equal(t, 1, p.Stats().InUse)
			for range 2 {
				require.NoError(t, s.Close())
				synctest.Wait()
				require.Equal(t, []int{0, 1}, []int{p.Stats().InUse, p.Stats().Idle})
			}
			_, err = s.ReadUint8()
			require.Error(t, err)
		}
		require.Equal(t, uint64(1), p.Stats().Dials)
		require.Equal(t, uint64(3), p.Stats().Calls)
	})
}

// TestPoolPipeline has its connection until Close, and gives it back once.
func TestPoolPipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := onePool(t)
		for range 3 {
			l, err := p.Pipeline(background)
			require.NoError(t, err)
			for i := range 10 {
				require.NoError(t, l.Send(1, fmt.Append(nil, i)))
			}
			require.NoError(t, l.CloseSend())
			for i := range 10 {
				answer, err := l.Receive(nil)
				require.NoError(t, err)
				require.Equal(t, fmt.Sprint(i), string(answer))
			}
			_, err = l.Receive(nil)
			require.Equal(t, io.EOF, err)
			require.Equal(t, 1, p.Stats().InUse)
			for range 2 {
				require.NoError(t, l.Close())
				synctest.Wait()
				require.Equal(t, []int{0, 1}, []int{p.Stats().InUse, p.Stats().Idle})
			}
		}
		require.Equal(t, uint64(1), p.Stats().Dials)
	})
}

// TestPoolStreamGivenUp: the connection comes back once the rest of the response was read.
func TestPoolStreamGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t)
		open := make(gate)
		a.answer = open.answer
		s, err := p.Stream(background, 1, nil)
		require.NoError(t, err)
		synctest.Wait() // the request was sent
		require.NoError(t, s.Close())
		synctest.Wait()
		require.Equal(t, []int{1, 0}, []int{p.Stats().InUse, p.Stats().Idle})
		close(open)
		synctest.Wait()
		require.Equal(t, []int{0, 1}, []int{p.Stats().InUse, p.Stats().Idle})

		s, err = p.Stream(background, 1, endless{})
		require.NoError(t, err)
		require.NoError(t, s.Close())
		synctest.Wait()
		require.Equal(t, serialclient.PoolEvictions{Broken: 1}, p.Stats().Evicted, "its request was not sent whole")
		require.Zero(t, p.Stats().Open)
	})
}

// TestPoolStreamsAnswersCount for the budget as a call's do: one that was read to its end, or that is an
// error code, but none that was given up.
func TestPoolStreamsAnswersCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t, serialclient.WithAttempts(2), serialclient.WithRetryBudget(1, 0),
			serialclient.WithMaxConnections(1, 1), serialclient.WithMaxIdle(-1), serialclient.WithDialLimit(1000, 1000))
		refused := func() error {
			a.set(func() { a.answer = saysGoodbye })
			_, err := p.Call(background, 1, nil)
			a.set(func() { a.answer = nil })
			return err
		}
		spent := func() { require.ErrorIs(t, refused(), serialclient.ErrRetryBudget) }
		require.ErrorIs(t, refused(), serialclient.ErrTooManyAttempts)
		require.ErrorIs(t, refused(), serialclient.ErrTooManyAttempts)
		spent()
		for name, use := range map[string]struct {
			f     func()
			count bool
		}{
			"stream": {func() {
				s, err := p.Stream(background, 1, nil)
				require.NoError(t, err)
				require.NoError(t, s.Finish())
				require.NoError(t, s.Close())
			}, true},
			"stream that fails": {func() {
				a.set(func() { a.answer = func(p *peer, _ serial.TaskCode, _ []byte) { p.error(4) } })
				s, err := p.Stream(background, 1, nil)
				require.NoError(t, err)
				require.Equal(t, serialclient.Failed, serialclient.OutcomeOf(s.Finish()))
				require.NoError(t, s.Close())
			}, true},
			"stream given up": {func() {
				s, err := p.Stream(background, 1, nil)
				require.NoError(t, err)
				require.NoError(t, s.Close())
			}, false},
			"pipeline": {func() {
				l, err := p.Pipeline(background)
				require.NoError(t, err)
				require.NoError(t, l.Send(1, nil))
				_, err = l.Receive(nil)
				require.NoError(t, err)
				require.NoError(t, l.Close())
			}, true},
			"pipeline given up": {func() {
				l, err := p.Pipeline(background)
				require.NoError(t, err)
				require.NoError(t, l.Close())
			}, false},
		} {
			use.f()
			if use.count {
				require.ErrorIs(t, refused(), serialclient.ErrTooManyAttempts, name)
			}
			spent()
		}
	})
}

// TestPoolStreamWithoutAConnection fails as a call does.
func TestPoolStreamWithoutAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a := onePool(t)
		a.refuse = errRefused
		_, err := p.Stream(background, 8, nil)
		failure(t, err, 8, serialclient.NotRun, errRefused)
		_, err = p.Pipeline(background)
		failure(t, err, 0, serialclient.NotRun, errRefused)
		require.NotContains(t, err.Error(), "task")
		ctx, cancel := context.WithCancel(background)
		cancel()
		_, err = p.Stream(ctx, 8, nil)
		failure(t, err, 8, serialclient.NotRun, context.Canceled)
		require.NoError(t, p.Shutdown(background), "none of these is under way")
	})
}
