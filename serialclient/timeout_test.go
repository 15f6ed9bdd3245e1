package serialclient_test

import (
	"io"
	"math"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// answerTime is how long an answer may still take after the output has failed.
const answerTime = 500 * time.Millisecond

// atLimit runs a test with a delay one nanosecond before the limit, at it and one after it. Only the
// first is in time.
func atLimit(t *testing.T, limit time.Duration, test func(t *testing.T, delay time.Duration, inTime bool)) {
	t.Helper()
	for _, d := range []time.Duration{-1, 0, 1} {
		synctest.Test(t, func(t *testing.T) { test(t, limit+d, d < 0) })
	}
}

// afterDelay waits in a bubble.
func afterDelay(d time.Duration) { <-time.After(d) }

// timedOut requires that a call has ended because of a timeout, after that time.
func timedOut(t *testing.T, r result, after time.Duration) {
	t.Helper()
	failure(t, r.err, 1, serialclient.Unknown, os.ErrDeadlineExceeded)
	require.Equal(t, after, r.after)
}

// TestWait: the first byte of a response may come until the limit, its default included.
func TestWait(t *testing.T) {
	for _, test := range []struct{ wait, limit time.Duration }{
		{0, 30 * time.Minute}, {time.Second, time.Second}, {3 * time.Second, 3 * time.Second}, {time.Millisecond, time.Millisecond},
	} {
		atLimit(t, test.limit, func(t *testing.T, delay time.Duration, inTime bool) {
			c := start(t, func(p *peer) {
				p.expect(1, "x")
				afterDelay(delay)
				p.ok("late?")
				p.gone()
			}, serialclient.WithTimeout(serialclient.Timeout{Wait: test.wait}))
			r := <-calling(c, background, 1, []byte("x"))
			if inTime {
				require.NoError(t, r.err)
				return
			}
			timedOut(t, r, test.limit)
			broken(t, c, os.ErrDeadlineExceeded)
		})
	}
}

// TestRead: each further byte of a response may come until the limit. It is rolling.
func TestRead(t *testing.T) {
	response := append(okResponse("ab"), errorCode, 7)
	for _, test := range []struct{ read, limit time.Duration }{{0, 5 * time.Second}, {time.Second, time.Second}} {
		for slow := 1; slow < len(response); slow++ {
			if slow == len(okResponse("ab")) {
				continue // the first byte of the second response
			}
			atLimit(t, test.limit, func(t *testing.T, delay time.Duration, inTime bool) {
				c := start(t, func(p *peer) {
					p.expect(1, "")
					for i, b := range response {
						switch {
						case i == slow:
							afterDelay(delay)
						case i == len(okResponse("ab")):
							if slow < i {
								p.end()
								return
							}
							p.expect(1, "")
						case i > 0:
							afterDelay(test.limit - 1)
						}
						p.write(b)
					}
					p.gone()
				}, serialclient.WithTimeout(serialclient.Timeout{Read: test.read}))
				r := <-calling(c, background, 1, nil)
				begun := min(slow, 4) - 1
				if slow > len(okResponse("ab")) {
					require.NoError(t, r.err)
					r, begun = <-calling(c, background, 1, nil), 0
				}
				if inTime {
					require.Equal(t, slow > len(okResponse("ab")), r.err != nil, r.err)
					return
				}
				timedOut(t, r, time.Duration(begun)*(test.limit-1)+test.limit)
			})
		}
	}
}

// TestWrite: a server that takes nothing is given up at the limit, and may then still answer for a
// moment.
func TestWrite(t *testing.T) {
	for _, test := range []struct{ write, limit time.Duration }{{0, 5 * time.Second}, {time.Second, time.Second}} {
		atLimit(t, test.limit, func(t *testing.T, delay time.Duration, inTime bool) {
			c := startOver(t, func(p *peer) {
				afterDelay(delay)
				if !inTime {
					p.end()
					return
				}
				p.expect(1, "x")
				p.ok("")
				p.gone()
			}, []serialtest.Option{serialtest.Buffer(0)}, serialclient.WithTimeout(serialclient.Timeout{Write: test.write}))
			r := <-calling(c, background, 1, []byte("x"))
			if inTime {
				require.NoError(t, r.err)
				return
			}
			failure(t, r.err, 1, serialclient.NotRun, os.ErrDeadlineExceeded) // no byte was taken
			require.Equal(t, test.limit+answerTime, r.after)
		})
	}
}

// TestAnswerAfterFailedWrite: a server that did not take the request whole may have answered it. A
// Pipe cannot say in the middle of a write that bytes were taken, so the limit counts twice.
func TestAnswerAfterFailedWrite(t *testing.T) {
	const limit = 5 * time.Second
	atLimit(t, answerTime, func(t *testing.T, delay time.Duration, inTime bool) {
		c := startOver(t, func(p *peer) {
			p.Read(make([]byte, 1)) // and no more
			afterDelay(2*limit + delay)
			p.error(9)
			p.gone()
		}, []serialtest.Option{serialtest.Buffer(0)}, serialclient.WithTimeout(serialclient.Timeout{Write: limit}))
		r := <-calling(c, background, 1, []byte("xyz"))
		if inTime {
			failure(t, r.err, 1, serialclient.Failed, r.err)
		} else {
			timedOut(t, r, 2*limit+answerTime)
		}
		broken(t, c, os.ErrDeadlineExceeded)
	})
}

// TestNoTimeout: negative timeouts are none.
func TestNoTimeout(t *testing.T) {
	const long = 1000 * time.Hour
	synctest.Test(t, func(t *testing.T) {
		c := startOver(t, func(p *peer) {
			afterDelay(long)
			p.expect(1, "x")
			afterDelay(long)
			for _, b := range okResponse("y") {
				p.write(b)
				afterDelay(long)
			}
			p.gone()
		}, []serialtest.Option{serialtest.Buffer(0)},
			serialclient.WithTimeout(serialclient.Timeout{Wait: -1, Read: -1, Write: -1}))
		response, err := c.Call(background, 1, []byte("x"))
		require.NoError(t, err)
		require.Equal(t, "y", string(response))
	})
}

// TestWaitRunsFromTheEndOfTheRequest: an upload may take as long as it likes, as long as it moves.
func TestWaitRunsFromTheEndOfTheRequest(t *testing.T) {
	const wait, step = time.Second, 900 * time.Millisecond
	for name, send := range uploads {
		t.Run(name, func(t *testing.T) {
			atLimit(t, wait, func(t *testing.T, delay time.Duration, inTime bool) {
				c := startOver(t, func(p *peer) {
					slowly := make([]byte, 100)
					for range 50 { // 45 s in all
						afterDelay(step)
						io.ReadFull(p.Conn, slowly)
					}
					io.ReadFull(p.Conn, make([]byte, len(upload)-len(slowly)*50))
					afterDelay(delay)
					p.ok("")
					p.gone()
				}, []serialtest.Option{serialtest.Buffer(0)}, serialclient.WithTimeout(serialclient.Timeout{Wait: wait}))
				err := send(c, bytesOf(5000))
				require.Equal(t, inTime, err == nil, err)
				if !inTime {
					failure(t, err, 1, serialclient.Unknown, os.ErrDeadlineExceeded)
				}
			})
		})
	}
}

// upload is the request of task 1 that uploads send.
var upload = exchange{1, bytesOf(5000), nil}.onTheWire()

// uploads are the ways to make a call.
var uploads = map[string]func(c *serialclient.Client, request []byte) error{
	"call": func(c *serialclient.Client, request []byte) error {
		_, err := c.Call(background, 1, request)
		return err
	},
	"pipeline": func(c *serialclient.Client, request []byte) error {
		p, err := c.Pipeline(background)
		if err != nil {
			return err
		}
		defer p.Close()
		if err := p.Send(1, request); err != nil {
			return err
		}
		_, err = p.Receive(nil)
		return err
	},
	"stream": func(c *serialclient.Client, request []byte) error {
		s, err := c.Stream(background, 1, &plain{request})
		if err != nil {
			return err
		}
		defer s.Close()
		_, err = io.ReadAll(s)
		return err
	},
}

// plain is a reader that does not know its length.
type plain struct{ b []byte }

func (p *plain) Read(b []byte) (int, error) {
	if len(p.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.b[:min(len(p.b), 1000)])
	p.b = p.b[n:]
	return n, nil
}

// TestWaitOfAPipeline: each response may take the limit from the end of its request and of the
// response before it, whatever is sent meanwhile.
func TestWaitOfAPipeline(t *testing.T) {
	const wait = 10 * time.Second
	atLimit(t, wait, func(t *testing.T, delay time.Duration, inTime bool) {
		c := start(t, func(p *peer) {
			p.expect(1, "")
			go p.gone()
			afterDelay(wait - 1)
			p.ok("")
			afterDelay(delay)
			p.ok("")
			<-p.ended
		}, serialclient.WithTimeout(serialclient.Timeout{Wait: wait}))
		p, err := c.Pipeline(background)
		require.NoError(t, err)
		stop, stopped := make(chan struct{}), make(chan struct{})
		require.NoError(t, p.Send(1, nil))
		go func() { // goes on sending
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Second):
					p.Send(2, nil)
				}
			}
		}()
		_, err = p.Receive(nil)
		require.NoError(t, err)
		begin := time.Now()
		_, err = p.Receive(nil)
		require.Equal(t, inTime, err == nil, err)
		if !inTime {
			require.Equal(t, wait, time.Since(begin))
		}
		close(stop)
		<-stopped
		require.NoError(t, p.Close())
	})
}

// TestLongestTimeouts are none that has passed.
func TestLongestTimeouts(t *testing.T) {
	const ever = math.MaxInt64
	synctest.Test(t, func(t *testing.T) {
		c := start(t, func(p *peer) {
			p.request()
			<-time.After(time.Second)
			p.ok("late")
			p.gone()
		}, serialclient.WithTimeout(serialclient.Timeout{Wait: ever, Read: ever, Write: ever}))
		<-time.After(time.Second)
		response, err := c.Call(background, 1, nil)
		require.NoError(t, err)
		require.Equal(t, "late", string(response))
	})
}

// TestWaitBesideAWrite: a response is late also while a later request is being written.
func TestWaitBesideAWrite(t *testing.T) {
	const wait = 10 * time.Second
	synctest.Test(t, func(t *testing.T) {
		c := startOver(t, func(p *peer) {
			p.Conn.Read(make([]byte, 3))
			for err := error(nil); err == nil; { // drips
				<-time.After(time.Second)
				_, err = p.Conn.Read(make([]byte, 1))
			}
		}, noBuffer, serialclient.WithTimeout(serialclient.Timeout{Wait: wait}))
		p, err := c.Pipeline(background)
		require.NoError(t, err)
		require.NoError(t, p.Send(1, nil))
		begin := time.Now()
		done := receiving(p)
		<-time.After(10 * time.Millisecond)
		sent := make(chan error, 1)
		go func() { sent <- p.Send(2, make([]byte, 1<<20)) }()
		failure(t, (<-done).err, 1, serialclient.Unknown, os.ErrDeadlineExceeded)
		require.Equal(t, wait, time.Since(begin))
		<-sent
		require.NoError(t, p.Close())
	})
}
