package serialclient_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

// TestKeepAlive: an empty request and response.
func TestKeepAlive(t *testing.T) {
	c := start(t, func(p *peer) {
		p.bytes(250, 0)
		p.write(0, 0)
		p.bytes(250, 0)
		p.error(250)
		p.end()
	})
	require.NoError(t, c.KeepAlive(background))
	err := c.KeepAlive(background)
	failure(t, err, serial.TaskKeepAlive, serialclient.Failed, err)
	require.NoError(t, c.Err())
}

// TestDescribe: the document, also one that says more than is known; and what is none.
func TestDescribe(t *testing.T) {
	want := serial.Description{
		Server: "example",
		Limits: serial.Limits{WaitMillis: 1, MinRate: 64},
		Tasks:  []serial.TaskDescription{{Code: 7, Name: "seven", Limits: serial.TaskLimits{UnreadInput: 9}}},
	}
	document, err := json.Marshal(want)
	require.NoError(t, err)
	c := start(t, func(p *peer) {
		p.bytes(251, 0)
		p.ok(string(document))
		p.bytes(251, 0)
		p.ok(`{"server": "new", "more": [1, 2]}`)
		for _, malformed := range []string{"", "{", `{"tasks": 7}`, "null and more"} {
			p.bytes(251, 0)
			p.ok(malformed)
		}
		p.bytes(251, 0)
		p.error(250)
		p.end()
	})
	got, err := c.Describe(background)
	require.NoError(t, err)
	require.Equal(t, want, *got)
	got, err = c.Describe(background)
	require.NoError(t, err)
	require.Equal(t, serial.Description{Server: "new"}, *got)
	for range 5 {
		got, err = c.Describe(background)
		failure(t, err, serial.TaskDescribe, serialclient.Failed, err)
		require.Nil(t, got)
		require.NoError(t, c.Err())
	}
}

// TestDisconnect: the client says that it is done, and waits for the Goodbye.
func TestDisconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, func(p *peer) {
			p.bytes(255, 0)
			afterDelay(time.Minute)
			p.goodbye()
			p.end()
		})
		begin := time.Now()
		require.NoError(t, c.Disconnect(background))
		require.Equal(t, time.Minute, time.Since(begin))
		require.Equal(t, serialclient.ErrClosed, c.Err())
		_, err := c.Call(background, 1, nil)
		failure(t, err, 1, serialclient.NotRun, serialclient.ErrClosed)
		require.NoError(t, c.Disconnect(background), "again")
		require.NoError(t, c.Close())
	})
}

// TestDisconnectWaitsForItsTurn, and closes in any case.
func TestDisconnectWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c := start(t, func(p *peer) {
			p.expect(1, "")
			<-release
			p.ok("")
			p.bytes(255, 0)
			p.goodbye()
		})
		first := calling(c, background, 1, nil)
		synctest.Wait()
		disconnected := make(chan error)
		go func() { disconnected <- c.Disconnect(background) }()
		synctest.Wait()
		pending(t, first)
		close(release)
		require.NoError(t, (<-first).err)
		require.NoError(t, <-disconnected)
	})
}

// TestDisconnectFails: the server says no Goodbye, or not in time. The connection is closed all the
// same.
func TestDisconnectFails(t *testing.T) {
	for name, test := range map[string]struct {
		f       script
		outcome serialclient.Outcome
		reason  error
		after   time.Duration
	}{
		"end":     {func(p *peer) { p.bytes(255, 0) }, serialclient.Unknown, io.ErrUnexpectedEOF, 0},
		"timeout": {func(p *peer) { p.gone() }, serialclient.Unknown, os.ErrDeadlineExceeded, 30 * time.Minute},
		"context": {func(p *peer) { p.gone() }, serialclient.Unknown, context.DeadlineExceeded, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var timeout serialclient.Timeout
				if test.after == time.Hour {
					timeout.Wait = -1
				}
				c := start(t, test.f, serialclient.WithTimeout(timeout))
				ctx, cancel := context.WithTimeout(background, time.Hour)
				defer cancel()
				begin := time.Now()
				failure(t, c.Disconnect(ctx), serial.TaskDisconnect, test.outcome, test.reason)
				require.Equal(t, test.after, time.Since(begin))
				require.Error(t, c.Err())
			})
		})
	}
}

// TestDisconnectFromTheQueue: a context that ends before the turn comes closes the connection, and
// with it the call that has the turn.
func TestDisconnectFromTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, func(p *peer) { p.gone() })
		first := calling(c, background, 1, nil)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		failure(t, c.Disconnect(ctx), serial.TaskDisconnect, serialclient.NotRun, context.DeadlineExceeded)
		r := <-first
		failure(t, r.err, 1, serialclient.Unknown, serialclient.ErrClosed)
		require.Equal(t, time.Second, r.after)
	})
}

// TestDisconnectWithoutGoodbye is not what was asked for.
func TestDisconnectWithoutGoodbye(t *testing.T) {
	c := start(t, func(p *peer) {
		p.request()
		p.ok("")
		p.gone()
	})
	failure(t, c.Disconnect(background), serial.TaskDisconnect, serialclient.Failed, serialclient.ErrProtocol)
	require.Error(t, c.Err())
}
