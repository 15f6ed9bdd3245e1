package serialclient_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

var noBuffer = []serialtest.Option{serialtest.Buffer(0)}

// lateWrite is when a write is found to have failed, at the latest: its timeout, and the time for which a
// response is still waited for.
const lateWrite = serialclient.DefaultWrite + 500*time.Millisecond

// TestTimedWriteTimesOut: what was sent by the timer fails as any other write does.
func TestTimedWriteTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startOver(t, func(p *peer) {
			p.bytes(1, 1, 'x', 0)
			<-p.ended // reads no more
		}, noBuffer)
		p, err := c.Pipeline(background)
		require.NoError(t, err)
		require.NoError(t, p.Send(1, []byte("x")))
		done := receiving(p)
		<-time.After(2 * time.Millisecond)
		begin := time.Now()
		require.NoError(t, p.Send(2, []byte("y")))
		r := <-done
		failure(t, r.err, 1, serialclient.Unknown, os.ErrDeadlineExceeded)
		require.Equal(t, lateWrite+time.Millisecond, time.Since(begin))
		require.NoError(t, p.Close())
	})
}

// TestTimedWriteOfAStreamTimesOut: also when the request's reader has nothing yet.
func TestTimedWriteOfAStreamTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startOver(t, func(p *peer) { <-p.ended }, noBuffer)
		r, w := io.Pipe()
		begin := time.Now()
		s, err := c.Stream(background, 1, r)
		require.NoError(t, err)
		_, err = s.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, lateWrite+time.Millisecond, time.Since(begin))
		w.Close()
		require.NoError(t, s.Close())
	})
}

// TestWaitBeginsWhenTheTimerHasSent: not before.
func TestWaitBeginsWhenTheTimerHasSent(t *testing.T) {
	const wait = time.Second
	for _, answered := range []time.Duration{wait - 1, wait + 1} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			c := startOver(t, func(p *peer) {
				<-time.After(2 * wait)
				p.request()
				<-time.After(answered)
				p.ok("hi")
				p.gone()
			}, noBuffer, serialclient.WithTimeout(serialclient.Timeout{Wait: wait}))
			p, err := c.Pipeline(background)
			require.NoError(t, err)
			require.NoError(t, p.Send(1, []byte("x")))
			<-time.After(2 * time.Millisecond)
			_, err = p.Receive(nil)
			if answered < wait {
				require.NoError(t, err)
			} else {
				failure(t, err, 1, serialclient.Unknown, os.ErrDeadlineExceeded)
				require.Equal(t, 3*wait, time.Since(begin))
			}
			require.NoError(t, p.Close())
		})
	}
}

// TestPipelineThatPauses: responses for which the timer's write has to wait are kept meanwhile.
func TestPipelineThatPauses(t *testing.T) {
	for _, pause := range []time.Duration{4 * time.Second, 6 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			c := startOver(t, func(p *peer) {
				p.in = bufio.NewReaderSize(p.Conn, 16)
				echoes(p)
			}, []serialtest.Option{serialtest.Buffer(500)})
			p, err := c.Pipeline(background)
			require.NoError(t, err)
			const calls = 40
			for i := range calls {
				require.NoError(t, p.Send(1, fmt.Appendf(nil, "%0150d", i)))
			}
			<-time.After(pause)
			for i := range calls {
				response, err := p.Receive(nil)
				require.NoError(t, err)
				require.Equal(t, fmt.Sprintf("%0150d", i), string(response))
			}
			require.NoError(t, p.Close())
		})
	}
}

// TestRequestThatEndsItsGoroutine: t.FailNow in a request's reader does.
func TestRequestThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, func(p *peer) { p.gone() })
		s, err := c.Stream(background, 1, readerFunc(func([]byte) (int, error) { runtime.Goexit(); return 0, nil }))
		require.NoError(t, err)
		_, err = s.Read(make([]byte, 1))
		require.ErrorContains(t, err, "ended its goroutine")
		require.NoError(t, s.Close())
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
