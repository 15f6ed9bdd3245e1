package serialclient_test

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// TestClose: what is under way fails at once, and so does what comes later.
func TestClose(t *testing.T) {
	for name, call := range uploads {
		for _, taken := range []int{0, 1, 1000, len(upload)} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := startOver(t, func(p *peer) {
						io.ReadFull(p.Conn, make([]byte, taken))
						<-p.ended
					}, []serialtest.Option{serialtest.Buffer(0)}, serialclient.WithTimeout(serialclient.Timeout{Write: -1}))
					done := make(chan error, 1)
					go func() { done <- call(c, bytesOf(5000)) }()
					waiting := calling(c, background, 2, nil)
					synctest.Wait()
					begin := time.Now()
					require.NoError(t, c.Close())
					err, other := <-done, <-waiting
					require.Zero(t, time.Since(begin))
					if serialclient.OutcomeOf(err) == serialclient.NotRun {
						err, other.err = other.err, err // the other one came first
					}
					if taken > 0 {
						require.Equal(t, serialclient.Unknown, serialclient.OutcomeOf(err))
					}
					require.ErrorIs(t, err, serialclient.ErrClosed)
					require.ErrorIs(t, other.err, serialclient.ErrClosed)
					require.Equal(t, serialclient.ErrClosed, c.Err())
					require.NoError(t, c.Close(), "again")
					_, err = c.Call(background, 3, nil)
					failure(t, err, 3, serialclient.NotRun, serialclient.ErrClosed)
				})
			})
		}
	}
}

// TestCloseWhileDiscarding: nobody waits for an abandoned response when the connection is closed.
func TestCloseWhileDiscarding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, func(p *peer) { p.gone() })
		p, err := c.Pipeline(background)
		require.NoError(t, err)
		require.NoError(t, p.Send(1, nil))
		require.NoError(t, p.Close())
		synctest.Wait()
		begin := time.Now()
		require.NoError(t, c.Close())
		require.Zero(t, time.Since(begin))
	})
}

// TestNothingIsLeftAfterClose: no goroutine of the client's, in the moment in which Close returns.
func TestNothingIsLeftAfterClose(t *testing.T) {
	for name, call := range uploads {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, other := serialtest.Pipe(serialtest.Buffer(1))
				c := serialclient.New(conn, nil, serialclient.WithKeepAlive(time.Second))
				p := play(t, other, func(p *peer) {
					p.request()
					p.ok("answer")
				})
				require.NoError(t, call(c, bytesOf(5000)))
				<-p.done
				require.NoError(t, c.Close())
				serialtest.CheckLeaks(t)
			})
		})
	}
}

// sluggish is a connection whose failing reads return after a second: what a busy machine does.
type sluggish struct {
	net.Conn
	reading atomic.Int32
}

func (s *sluggish) Read(p []byte) (int, error) {
	s.reading.Add(1)
	defer s.reading.Add(-1)
	n, err := s.Conn.Read(p)
	if err != nil {
		<-time.After(time.Second)
	}
	return n, err
}

// TestCloseWaitsForItsGoroutines: the one that reads an abandoned response has left the connection when Close
// returns.
func TestCloseWaitsForItsGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, other := serialtest.Pipe()
		slow := &sluggish{Conn: conn}
		c := client(t, slow, play(t, other, func(p *peer) { p.gone() }))
		p, err := c.Pipeline(background)
		require.NoError(t, err)
		require.NoError(t, p.Send(1, nil))
		require.NoError(t, p.Close())
		synctest.Wait()
		require.Equal(t, int32(1), slow.reading.Load(), "it reads")
		require.NoError(t, c.Close())
		require.Zero(t, slow.reading.Load())
	})
}
