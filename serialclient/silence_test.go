package serialclient_test

import (
	"bytes"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
)

// TestIdlePipeline: it sends no KeepAlive, and what the server does meanwhile is the outcome of its next call.
func TestIdlePipeline(t *testing.T) {
	for name, test := range map[string]struct {
		end     func(*peer)
		outcome serialclient.Outcome
		reason  error
	}{
		"Goodbye": {func(p *peer) { p.goodbye() }, serialclient.NotRun, serialclient.ErrGoodbye},
		"end":     {func(p *peer) { p.Conn.(interface{ CloseWrite() error }).CloseWrite() }, serialclient.Unknown, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := start(t, func(p *peer) {
					p.expect(1, "")
					p.ok("")
					afterDelay(time.Minute)
					p.nothingYet()
					test.end(p)
					<-p.ended
				}, serialclient.WithKeepAlive(time.Second))
				p, err := c.Pipeline(background)
				require.NoError(t, err)
				require.NoError(t, p.Send(1, nil))
				_, err = p.Receive(nil)
				require.NoError(t, err)
				received := make(chan error, 1)
				go func() {
					_, err := p.Receive(nil)
					received <- err
				}()
				afterDelay(time.Hour)
				synctest.Wait()
				require.Empty(t, received)
				require.NoError(t, c.Err())
				require.NoError(t, p.Send(2, nil))
				failure(t, <-received, 2, test.outcome, test.reason)
			})
		})
	}
}

// TestLiveStream: one that is silent for the Read timeout ends, and without that it does not.
func TestLiveStream(t *testing.T) {
	for name, test := range map[string]struct {
		read, silent time.Duration
		fine         bool
	}{
		"default below": {0, serialclient.DefaultRead - 1, true},
		"default above": {0, serialclient.DefaultRead + 1, false},
		"longer":        {time.Minute, time.Minute - 1, true},
		"none":          {-1, 1000 * time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := start(t, func(p *peer) {
					p.expect(1, "")
					p.write(okCode, 1, 'a')
					afterDelay(test.silent)
					p.write(1, 'b', 0)
					<-p.ended
				}, serialclient.WithTimeout(serialclient.Timeout{Read: test.read}))
				s, err := c.Stream(background, 1, bytes.NewReader(nil))
				require.NoError(t, err)
				defer s.Close()
				got, err := io.ReadAll(s)
				if test.fine {
					require.NoError(t, err)
					require.Equal(t, "ab", string(got))
					return
				}
				require.Equal(t, "a", string(got))
				failure(t, err, 1, serialclient.Unknown, os.ErrDeadlineExceeded)
			})
		})
	}
}
