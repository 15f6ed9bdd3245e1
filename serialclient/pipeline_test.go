package serialclient_test

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// TestPipelineFlushesWhenItMustWait: a window of calls goes out in one write, because a Receive whose
// response is there already does not send what waits to be sent.
func TestPipelineFlushesWhenItMustWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const window, rounds = 64, 50
		conn, other := serialtest.Pipe()
		counted := &writeCounter{Conn: conn}
		c := client(t, counted, play(t, other, func(p *peer) {
			for range rounds {
				var responses []byte
				for range window {
					_, message := p.request()
					responses = append(responses, okResponse(string(message))...)
				}
				p.write(responses...)
			}
			p.end()
		}))
		p, err := c.Pipeline(background)
		require.NoError(t, err)
		for range window {
			require.NoError(t, p.Send(1, []byte("x")))
		}
		for i := range rounds * window {
			response, err := p.Receive(nil)
			require.NoError(t, err)
			require.Equal(t, "x", string(response))
			if i < (rounds-1)*window {
				require.NoError(t, p.Send(1, []byte("x")))
			}
		}
		require.NoError(t, p.Close())
		require.EqualValues(t, rounds, counted.writes.Load())
	})
}

// writeCounter counts the writes of a connection.
type writeCounter struct {
	net.Conn
	writes atomic.Int64
}

func (c *writeCounter) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// TestPipelineSends: within a millisecond, at once when the buffer is full, and with Close.
func TestPipelineSends(t *testing.T) {
	for name, test := range map[string]struct {
		size  int
		after time.Duration
		close bool
	}{
		"small": {10, time.Millisecond, false},
		"large": {17 << 10, 0, false},
		"close": {10, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				came, all := make(chan time.Duration, 1), make(chan time.Duration, 1)
				c := start(t, func(p *peer) {
					p.taskCode()
					came <- time.Since(begin)
					p.message()
					all <- time.Since(begin)
					p.ok("thrown away if nobody receives it")
					echoes(p)
				})
				p, err := c.Pipeline(background)
				require.NoError(t, err)
				require.NoError(t, p.Send(1, bytesOf(test.size)))
				if test.close {
					require.NoError(t, p.Close())
				}
				require.Equal(t, test.after, <-came)
				require.LessOrEqual(t, <-all, time.Millisecond)
				require.NoError(t, p.Close())
				usable(t, c)
			})
		})
	}
}

// TestPipelineGoodbye: as the answer to one call it says that this one and all later did not run.
func TestPipelineGoodbye(t *testing.T) {
	const calls = 5
	for answered := range calls {
		synctest.Test(t, func(t *testing.T) {
			c := start(t, func(p *peer) {
				for i := range calls {
					p.expect(serial.TaskCode(i), "")
				}
				for range answered {
					p.ok("")
				}
				p.goodbye()
				p.end()
			})
			p, err := c.Pipeline(background)
			require.NoError(t, err)
			for i := range calls {
				require.NoError(t, p.Send(serial.TaskCode(i), nil))
			}
			for i := range calls {
				_, err := p.Receive(nil)
				if i < answered {
					require.NoError(t, err)
				} else {
					failure(t, err, serial.TaskCode(i), serialclient.NotRun, serialclient.ErrGoodbye)
				}
			}
			failure(t, p.Send(9, nil), 9, serialclient.NotRun, serialclient.ErrGoodbye)
			require.NoError(t, p.Close())
			require.Equal(t, serialclient.ErrGoodbye, c.Err())
		})
	}
}

// TestPipelineCut: the calls behind the one whose response was cut may have run; those that were not
// sent did not.
func TestPipelineCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, func(p *peer) {
			p.expect(1, "")
			p.expect(2, "")
			p.ok("one")
			p.write(0, 3, 't')
		})
		p, err := c.Pipeline(background)
		require.NoError(t, err)
		require.NoError(t, p.Send(1, nil))
		require.NoError(t, p.Send(2, nil))
		response, err := p.Receive([]byte("dst "))
		require.NoError(t, err)
		require.Equal(t, "dst one", string(response))
		require.NoError(t, p.Send(3, nil))
		_, err = p.Receive(nil)
		failure(t, err, 2, serialclient.Unknown, io.ErrUnexpectedEOF)
		_, err = p.Receive(nil)
		require.Contains(t, []serialclient.Outcome{serialclient.NotRun, serialclient.Unknown}, serialclient.OutcomeOf(err))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		failure(t, p.Send(4, nil), 4, serialclient.NotRun, serialclient.ErrBroken)
		require.NoError(t, p.Close())
		broken(t, c, io.ErrUnexpectedEOF)
	})
}

// TestPipelineMisused: after Close it neither sends nor takes the next caller's responses.
func TestPipelineMisused(t *testing.T) {
	c := start(t, echoes)
	p, err := c.Pipeline(background)
	require.NoError(t, err)
	require.NoError(t, p.Close())
	require.NoError(t, p.Close())
	failure(t, p.Send(1, nil), 1, serialclient.NotRun, serialclient.ErrPipelineClosed)
	other, err := c.Pipeline(background)
	require.NoError(t, err)
	require.NoError(t, other.Send(1, []byte("other")))
	_, err = p.Receive(nil)
	require.Equal(t, serialclient.ErrPipelineClosed, err)
	response, err := other.Receive(nil)
	require.NoError(t, err)
	require.Equal(t, "other", string(response))
	require.NoError(t, other.Close())
}

// room is how many bytes are kept for a pipeline that does not receive, and what each call costs.
const room, callCost = 16 << 20, 64

// TestPipelineRoomForResponses: at the limit they are kept, beyond it the connection is closed. Each
// call still has its answer.
func TestPipelineRoomForResponses(t *testing.T) {
	for _, extra := range []int{-1, 0, 1} {
		t.Run(fmt.Sprint(extra), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const responses = 4
				received, sent := make(chan struct{}), make(chan error, 1)
				c := startOver(t, func(p *peer) {
					for range responses {
						p.request()
					}
					for i := range responses {
						size := room/responses - callCost
						if i == responses-1 {
							size += extra
						}
						p.write(okResponse(string(make([]byte, size)))...)
					}
					if extra <= 0 {
						<-received // there is room again
						echoes(p)
					}
				}, []serialtest.Option{serialtest.Buffer(0)}, serialclient.WithTimeout(serialclient.Timeout{Write: -1}))
				p, err := c.Pipeline(background)
				require.NoError(t, err)
				for i := range responses {
					require.NoError(t, p.Send(serial.TaskCode(i), nil))
				}
				go func() { // blocks until the server reads on
					sent <- p.Send(9, bytesOf(100<<10))
				}()
				synctest.Wait()
				afterDelay(time.Second)
				for i := range responses {
					response, err := p.Receive(nil)
					if i == responses-1 && extra > 0 {
						failure(t, err, serial.TaskCode(i), serialclient.Unknown, serialclient.ErrPipelineFull)
						break
					}
					require.NoError(t, err)
					require.GreaterOrEqual(t, len(response), room/responses-callCost-1)
				}
				close(received)
				require.NoError(t, <-sent, "what became of it is for Receive to say")
				response, err := p.Receive(nil)
				if extra <= 0 {
					require.NoError(t, err)
					require.Equal(t, bytesOf(100<<10), response)
				} else {
					failure(t, err, 9, serialclient.Unknown, serialclient.ErrPipelineFull)
				}
				require.NoError(t, p.Close())
				if extra <= 0 {
					usable(t, c)
				} else {
					broken(t, c, serialclient.ErrPipelineFull)
				}
			})
		})
	}
}

// TestCallHasRoom: a single response needs no room but what WithMaxResponse gives it, even if it was
// read beside a blocked write.
func TestCallHasRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := string(make([]byte, room+1))
		c := startOver(t, func(p *peer) {
			p.taskCode()
			p.ok(body)
			p.message()
			echoes(p)
		}, []serialtest.Option{serialtest.Buffer(0)}, serialclient.WithMaxResponse(room+1))
		response, err := c.Call(background, 1, make([]byte, 100<<10))
		require.NoError(t, err)
		require.Len(t, response, room+1)
		usable(t, c)
	})
}

// TestPipelineRoomForCalls: sending without receiving ends at the limit, and goes on with each
// response that is received.
func TestPipelineRoomForCalls(t *testing.T) {
	const most = room / callCost
	answer := make(chan struct{})
	c := start(t, func(p *peer) {
		for range most {
			p.expect(1, "")
		}
		<-answer
		p.ok("")
		p.gone()
	})
	p, err := c.Pipeline(background)
	require.NoError(t, err)
	for range most {
		if err := p.Send(1, nil); err != nil {
			require.NoError(t, err)
		}
	}
	failure(t, p.Send(1, nil), 1, serialclient.NotRun, serialclient.ErrPipelineFull)
	require.NoError(t, c.Err())
	close(answer)
	_, err = p.Receive(nil)
	require.NoError(t, err)
	require.NoError(t, p.Send(1, nil))
	failure(t, p.Send(1, nil), 1, serialclient.NotRun, serialclient.ErrPipelineFull)
	require.NoError(t, c.Close())
	require.NoError(t, p.Close())
}
