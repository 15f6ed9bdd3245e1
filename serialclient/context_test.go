package serialclient_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

var errCause = errors.New("the cause")

// TestContextDoneBefore: nothing is sent, and the connection goes on.
func TestContextDoneBefore(t *testing.T) {
	c := start(t, func(p *peer) {
		p.expect(77, "still there?")
		p.ok("still there?")
		p.end()
	})
	ctx, cancel := context.WithCancelCause(background)
	cancel(errCause)
	_, err := c.Call(ctx, 1, nil)
	failure(t, err, 1, serialclient.NotRun, errCause)
	_, err = c.Stream(ctx, 1, nil)
	failure(t, err, 1, serialclient.NotRun, errCause)
	_, err = c.Pipeline(ctx)
	failure(t, err, 0, serialclient.NotRun, errCause)
	failure(t, c.KeepAlive(ctx), 250, serialclient.NotRun, errCause)
	_, err = c.Describe(ctx)
	failure(t, err, 251, serialclient.NotRun, errCause)
	usable(t, c)
}

// TestContextWhileWaitingForTheTurn: at once, nothing is sent, and the others keep their places.
func TestContextWhileWaitingForTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c := start(t, func(p *peer) {
			p.expect(1, "")
			<-release
			p.ok("")
			p.expect(3, "")
			p.ok("")
			p.end()
		})
		first := calling(c, background, 1, nil)
		synctest.Wait()
		ctx, cancel := context.WithTimeoutCause(background, time.Minute, errCause)
		defer cancel()
		second := calling(c, ctx, 2, nil)
		synctest.Wait()
		third := calling(c, background, 3, nil)
		r := <-second
		failure(t, r.err, 2, serialclient.NotRun, errCause)
		require.Equal(t, time.Minute, r.after)
		pending(t, first)
		close(release)
		require.NoError(t, (<-first).err)
		require.NoError(t, (<-third).err)
	})
}

// TestContextWhileSending: a request that was sent in part costs the connection, and one of which
// nothing was sent does not.
func TestContextWhileSending(t *testing.T) {
	for name, send := range contextCalls {
		for _, taken := range []int{0, 1, 2, 20} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancelCause(background)
					goOn := make(chan struct{})
					c := startOver(t, func(p *peer) {
						io.ReadFull(p.Conn, make([]byte, taken))
						synctest.Wait() // until the client is blocked
						cancel(errCause)
						<-goOn
						if taken > 0 {
							p.end()
							return
						}
						p.expect(77, "still there?")
						p.ok("still there?")
						p.end()
					}, []serialtest.Option{serialtest.Buffer(0)}, serialclient.WithTimeout(serialclient.Timeout{Write: -1}))
					begin := time.Now()
					err := send(ctx, c)
					close(goOn)
					require.Zero(t, time.Since(begin))
					if taken > 0 {
						failure(t, err, 1, serialclient.Unknown, errCause)
						_, err = c.Call(background, 2, nil)
						failure(t, err, 2, serialclient.NotRun, serialclient.ErrBroken)
						return
					}
					outcome := serialclient.NotRun
					if name == "stream" { // its reader does not wait to know what its sender did
						outcome = serialclient.OutcomeOf(err)
					}
					failure(t, err, 1, outcome, errCause)
					require.NoError(t, c.Err())
					usable(t, c)
				})
			})
		}
	}
}

// contextCalls make a call of task 1 that is longer than 20 bytes.
var contextCalls = map[string]func(ctx context.Context, c *serialclient.Client) error{
	"call": func(ctx context.Context, c *serialclient.Client) error {
		_, err := c.Call(ctx, 1, bytesOf(30))
		return err
	},
	"pipeline": func(ctx context.Context, c *serialclient.Client) error {
		p, err := c.Pipeline(ctx)
		if err != nil {
			return err
		}
		defer p.Close()
		if err := p.Send(1, bytesOf(30)); err != nil {
			return err
		}
		_, err = p.Receive(nil)
		return err
	},
	"stream": func(ctx context.Context, c *serialclient.Client) error {
		s, err := c.Stream(ctx, 1, strings.NewReader("a stream of more than twenty bytes"))
		if err != nil {
			return err
		}
		defer s.Close()
		_, err = io.ReadAll(s)
		return err
	},
}

// TestContextWhileWaitingForTheResponse: at each byte of the response the call returns at once. The
// response is thrown away before the next request is sent.
func TestContextWhileWaitingForTheResponse(t *testing.T) {
	for name, send := range contextCalls {
		for _, response := range [][]byte{okResponse("response"), {errorCode, 77}} {
			for come := range response {
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						ctx, cancel := context.WithCancelCause(background)
						rest := make(chan struct{})
						c := start(t, func(p *peer) {
							p.request()
							p.write(response[:come]...)
							synctest.Wait()
							cancel(errCause)
							<-rest
							p.nothingYet() // the next request waits for the response
							p.write(response[come:]...)
							echoes(p)
						})
						begin := time.Now()
						err := send(ctx, c)
						require.Zero(t, time.Since(begin))
						failure(t, err, 1, serialclient.Unknown, errCause)
						require.NoError(t, c.Err())
						next := calling(c, background, 2, []byte("next"))
						synctest.Wait()
						pending(t, next)
						close(rest)
						r := <-next
						require.NoError(t, r.err)
						require.Equal(t, "next", string(r.response))
						usable(t, c)
					})
				})
			}
		}
	}
}

// TestAbandonedGoodbye: the next caller learns it, and nothing is sent.
func TestAbandonedGoodbye(t *testing.T) {
	for name, test := range map[string]struct {
		rest   []byte
		reason error
	}{
		"Goodbye":   {[]byte{2}, serialclient.ErrGoodbye},
		"the end":   {nil, io.ErrUnexpectedEOF},
		"cut":       {[]byte{0, 5, 1}, io.ErrUnexpectedEOF},
		"malformed": {[]byte{3}, serialclient.ErrProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(background)
				rest := make(chan struct{})
				c := start(t, func(p *peer) {
					p.expect(1, "")
					synctest.Wait()
					cancel(errCause)
					<-rest
					p.write(test.rest...)
					closeWrite(p)
					p.end()
				})
				_, err := c.Call(ctx, 1, nil)
				failure(t, err, 1, serialclient.Unknown, errCause)
				next := calling(c, background, 2, nil)
				synctest.Wait()
				close(rest)
				failure(t, (<-next).err, 2, serialclient.NotRun, test.reason)
				_, err = c.Call(background, 2, nil)
				failure(t, err, 2, serialclient.NotRun, test.reason)
			})
		})
	}
}

// The bounds within which an abandoned response is waited for.
const (
	abandonedTime  = 5 * time.Second
	abandonedBytes = 1 << 20
)

// TestAbandonedTime: the response of an abandoned call may take 5 seconds.
func TestAbandonedTime(t *testing.T) {
	atLimit(t, abandonedTime, func(t *testing.T, delay time.Duration, inTime bool) {
		ctx, cancel := context.WithCancelCause(background)
		c := start(t, func(p *peer) {
			p.expect(1, "")
			p.write(0)
			synctest.Wait()
			cancel(errCause)
			afterDelay(delay)
			p.write(0)
			if inTime {
				echoes(p)
			}
			p.end()
		}, serialclient.WithTimeout(serialclient.Timeout{Read: -1}))
		_, err := c.Call(ctx, 1, nil)
		failure(t, err, 1, serialclient.Unknown, errCause)
		begin := time.Now()
		response, err := c.Call(background, 2, []byte("next"))
		require.LessOrEqual(t, time.Since(begin), abandonedTime)
		if inTime {
			require.NoError(t, err)
			require.Equal(t, "next", string(response))
			return
		}
		failure(t, err, 2, serialclient.NotRun, serialclient.ErrBroken)
		require.ErrorContains(t, err, "abandoned")
	})
}

// TestAbandonedBytes: it may have 1 MiB, alone or together with those of other calls.
func TestAbandonedBytes(t *testing.T) {
	for _, calls := range []int{1, 2, 3} {
		for _, extra := range []int{-1, 0, 1} {
			size := abandonedBytes + extra
			synctest.Test(t, func(t *testing.T) {
				c := start(t, func(p *peer) {
					for range calls {
						p.expect(1, "")
					}
					for i := range calls {
						n := size / calls
						if i == 0 {
							n += size % calls
						}
						p.ok(string(make([]byte, n)))
					}
					echoes(p)
				})
				p, err := c.Pipeline(background)
				require.NoError(t, err)
				for range calls {
					require.NoError(t, p.Send(1, nil))
				}
				require.NoError(t, p.Close())
				if extra <= 0 {
					usable(t, c)
					return
				}
				_, err = c.Call(background, 2, nil)
				failure(t, err, 2, serialclient.NotRun, serialclient.ErrBroken)
				require.ErrorContains(t, err, "abandoned")
			})
		}
	}
}

// TestContextOfAPipeline: when it is done, each call says for itself whether it was sent, and what was
// not is not sent any more.
func TestContextOfAPipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(background)
		done := make(chan struct{})
		c := start(t, func(p *peer) {
			p.expect(1, "")
			p.expect(2, "")
			p.ok("one")
			<-done
			p.ok("two")
			echoes(p)
		})
		p, err := c.Pipeline(ctx)
		require.NoError(t, err)
		require.NoError(t, p.Send(1, nil))
		require.NoError(t, p.Send(2, nil))
		response, err := p.Receive(nil)
		require.NoError(t, err)
		require.Equal(t, "one", string(response))
		require.NoError(t, p.Send(3, nil)) // stays in the buffer for a millisecond
		cancel(errCause)
		synctest.Wait()
		failure(t, p.Send(4, nil), 4, serialclient.NotRun, errCause)
		_, err = p.Receive(nil)
		failure(t, err, 2, serialclient.Unknown, errCause)
		_, err = p.Receive(nil)
		failure(t, err, 3, serialclient.NotRun, errCause)
		_, err = p.Receive(nil)
		failure(t, err, 0, serialclient.NotRun, errCause)
		require.NoError(t, p.Close())
		close(done)
		usable(t, c)
	})
}

// TestContextDoneAsTheCallEnds: it never harms the next call.
func TestContextDoneAsTheCallEnds(t *testing.T) {
	for name, startPeer := range starts {
		t.Run(name, func(t *testing.T) {
			c := startPeer(t, echoes)
			for i := range 5000 {
				ctx, cancel := context.WithCancel(background)
				cancelled := make(chan struct{})
				go func() {
					defer close(cancelled)
					for range i % 50 {
						_ = strings.Repeat("x", i%50) // a moment, each time another one
					}
					cancel()
				}()
				if response, err := c.Call(ctx, 1, bytesOf(i%700)); err == nil {
					require.Equal(t, bytesOf(i%700), append([]byte{}, response...))
				} else {
					require.ErrorIs(t, err, context.Canceled)
				}
				require.NoError(t, c.Err())
				usable(t, c)
				<-cancelled
			}
		})
	}
}
