package serialclient_test

import (
	"context"
	"io"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// receiving starts a Receive.
func receiving(p *serialclient.Pipeline) <-chan result {
	done := make(chan result, 1)
	go func() {
		response, err := p.Receive(nil)
		done <- result{response: response, err: err}
	}()
	return done
}

// TestReceiveWaitsForASend of another goroutine, also when it has waited before.
func TestReceiveWaitsForASend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, echoes)
		p, err := c.Pipeline(background)
		require.NoError(t, err)
		for i := range 3 {
			done := receiving(p)
			<-time.After(time.Hour)
			pending(t, done)
			require.NoError(t, p.Send(1, []byte{byte(i)}))
			require.Equal(t, result{response: []byte{byte(i)}}, <-done)
		}
		require.NoError(t, p.Close())
		usable(t, c)
	})
}

// TestReceiveEnds: what ends a Receive that waits for a Send, and each one after it.
func TestReceiveEnds(t *testing.T) {
	for name, test := range map[string]struct {
		end    func(*serialclient.Client, *serialclient.Pipeline, context.CancelCauseFunc)
		want   error
		notRun bool
	}{
		"CloseSend": {func(_ *serialclient.Client, p *serialclient.Pipeline, _ context.CancelCauseFunc) { p.CloseSend() }, io.EOF, false},
		"Close":     {func(_ *serialclient.Client, p *serialclient.Pipeline, _ context.CancelCauseFunc) { p.Close() }, serialclient.ErrPipelineClosed, false},
		"the client's Close": {func(c *serialclient.Client, _ *serialclient.Pipeline, _ context.CancelCauseFunc) { c.Close() },
			serialclient.ErrClosed, true},
		"the context": {func(_ *serialclient.Client, _ *serialclient.Pipeline, cancel context.CancelCauseFunc) {
			cancel(errCause)
		},
			errCause, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(background)
				defer cancel(nil)
				c := start(t, echoes)
				p, err := c.Pipeline(ctx)
				require.NoError(t, err)
				defer p.Close()
				require.NoError(t, p.Send(1, nil))
				_, err = p.Receive(nil)
				require.NoError(t, err)
				done := receiving(p)
				synctest.Wait()
				pending(t, done)
				test.end(c, p, cancel)
				for _, err := range []error{(<-done).err, (<-receiving(p)).err} {
					require.ErrorIs(t, err, test.want)
					require.Equal(t, test.notRun, serialclient.SafeToRetry(err), "%v", err)
				}
			})
		})
	}
}

// TestCloseSend: what was sent before is received, nothing is sent after it.
func TestCloseSend(t *testing.T) {
	c := start(t, echoes)
	p, err := c.Pipeline(background)
	require.NoError(t, err)
	for i := range 10 {
		require.NoError(t, p.Send(1, []byte{byte(i)}))
	}
	require.NoError(t, p.CloseSend())
	require.NoError(t, p.CloseSend(), "again")
	failure(t, p.Send(1, nil), 1, serialclient.NotRun, serialclient.ErrPipelineClosed)
	for i := range 10 {
		response, err := p.Receive(nil)
		require.NoError(t, err)
		require.Equal(t, []byte{byte(i)}, response)
	}
	_, err = p.Receive(nil)
	require.Equal(t, io.EOF, err)
	require.NoError(t, p.Close())
	require.NoError(t, p.CloseSend(), "after Close")
	usable(t, c)
}

// TestSenderAndReceiver: two goroutines of which neither knows how far the other one is, over buffers
// of any size: no response is missed.
func TestSenderAndReceiver(t *testing.T) {
	for _, buffer := range []int{0, 1, 100, 1 << 16} {
		c := startOver(t, echoes, []serialtest.Option{serialtest.Buffer(buffer)})
		for range 20 {
			p, err := c.Pipeline(background)
			require.NoError(t, err)
			const calls = 100
			sent := make(chan error, 1)
			go func() {
				for i := range calls {
					if err := p.Send(1, strconv.AppendInt(nil, int64(i), 10)); err != nil {
						sent <- err
						return
					}
				}
				sent <- p.CloseSend()
			}()
			received := 0
			for response, err := p.Receive(nil); err != io.EOF; response, err = p.Receive(nil) {
				require.NoError(t, err)
				require.Equal(t, strconv.Itoa(received), string(response))
				received++
			}
			require.Equal(t, calls, received)
			require.NoError(t, <-sent)
			require.NoError(t, p.Close())
		}
	}
}

// TestNoTask: what failed before there was a task to name says so.
func TestNoTask(t *testing.T) {
	_, err := serialclient.Dial(background, "tcp", "127.0.0.1:0", nil)
	require.True(t, serialclient.SafeToRetry(err))
	require.ErrorContains(t, err, "serialclient: not run: dial tcp")
	c := start(t, func(p *peer) { p.gone() })
	c.Close()
	_, err = c.Pipeline(background)
	require.True(t, serialclient.SafeToRetry(err))
	require.EqualError(t, err, "serialclient: not run: serialclient: client closed")
}
