package serialclient_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// TestNoReaderStaysBehind: a turn that is cancelled while a reader waits beside its stalled write leaves the
// connection to the next caller, and to nobody else.
func TestNoReaderStaysBehind(t *testing.T) {
	for name, use := range map[string]func(t *testing.T, ctx context.Context, c *serialclient.Client){
		"pipeline": func(t *testing.T, ctx context.Context, c *serialclient.Client) {
			p, err := c.Pipeline(ctx)
			require.NoError(t, err)
			require.NoError(t, p.Send(1, []byte("x")))
			require.NoError(t, p.Close())
		},
		"stream": func(t *testing.T, ctx context.Context, c *serialclient.Client) {
			s, err := c.Stream(ctx, 1, strings.NewReader("x"))
			require.NoError(t, err)
			<-time.After(2 * time.Millisecond)
			require.NoError(t, s.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range 200 { // the reader that stayed was a matter of luck
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(background, 12*time.Millisecond)
					defer cancel()
					c := startOver(t, func(p *peer) {
						<-time.After(20 * time.Millisecond) // takes nothing before
						echoes(p)
					}, []serialtest.Option{serialtest.Buffer(0)})
					use(t, ctx, c)
					<-time.After(15 * time.Millisecond)
					require.NoError(t, c.Err())
					usable(t, c)
				})
			}
		})
	}
}

// TestResponseBesideACancelledWrite: the response that comes then is the next caller's.
func TestResponseBesideACancelledWrite(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(background, 8*time.Millisecond)
			defer cancel()
			c := startOver(t, func(p *peer) {
				<-time.After(8 * time.Millisecond)
				echoes(p)
			}, []serialtest.Option{serialtest.Buffer(0)})
			p, err := c.Pipeline(ctx)
			require.NoError(t, err)
			require.NoError(t, p.Send(1, []byte("x")))
			require.NoError(t, p.Close())
			if c.Err() == nil { // its byte may have been taken in the same moment
				usable(t, c)
			}
		})
	}
}
