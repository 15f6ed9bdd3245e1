package serialclient_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// earlyLimit is the size of a request up to which it is sent to its end although it was answered.
const earlyLimit = 256 << 10

// early are responses that come before the request was read.
var early = map[string]struct {
	response []byte
	check    func(t *testing.T, response []byte, err error)
}{
	"OK": {okResponse("early"), func(t *testing.T, response []byte, err error) {
		t.Helper()
		require.NoError(t, err)
		require.Equal(t, "early", string(response))
	}},
	"Error": {[]byte{errorCode, 8}, func(t *testing.T, _ []byte, err error) {
		t.Helper()
		var coder serial.ErrorCoder
		require.ErrorAs(t, err, &coder)
		failure(t, err, 1, serialclient.Failed, err)
	}},
}

// TestEarlyResponse: up to the limit the request is sent to its end and the session goes on; beyond
// it sending stops and the connection is closed. The call has its response in both cases.
func TestEarlyResponse(t *testing.T) {
	for name, test := range early {
		for _, size := range []int{20 << 10, earlyLimit - 1, earlyLimit, earlyLimit + 1, 4 * earlyLimit} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					goOn := make(chan struct{})
					c := startOver(t, func(p *peer) {
						p.taskCode()
						p.write(test.response...)
						<-goOn // the response is known, and the rest of the request is not read
						if size <= earlyLimit {
							p.message()
							echoes(p)
							return
						}
						p.stops(size)
					}, []serialtest.Option{serialtest.Buffer(1000)}, serialclient.WithTimeout(serialclient.Timeout{Write: -1}))
					done := calling(c, background, 1, bytesOf(size))
					afterDelay(time.Second)
					if size <= earlyLimit {
						pending(t, done)
					}
					close(goOn)
					r := <-done
					test.check(t, r.response, r.err)
					if size <= earlyLimit {
						require.NoError(t, c.Err())
						usable(t, c)
						return
					}
					require.Less(t, r.after, 100*time.Millisecond)
					broken(t, c, c.Err())
					require.ErrorContains(t, c.Err(), "before its request was sent")
				})
			})
		}
	}
}

// stops requires that the connection ends before a message of the size has, and that it is cut, not
// ended.
func (p *peer) stops(size int) {
	p.Helper()
	n, err := io.Copy(io.Discard, serial.NewReader(p.in))
	if err == nil || n >= int64(size) {
		p.fail("the message was sent to its end: %d bytes, %v", n, err)
	}
}

// TestEarlyResponseInAPipeline: the calls behind one that was answered too early are not run.
func TestEarlyResponseInAPipeline(t *testing.T) {
	for name, test := range early {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := start(t, func(p *peer) {
					p.taskCode()
					p.write(test.response...)
					<-p.ended
				}, serialclient.WithTimeout(serialclient.Timeout{Write: -1}))
				p, err := c.Pipeline(background)
				require.NoError(t, err)
				require.NoError(t, p.Send(1, make([]byte, 4*earlyLimit)))
				failure(t, p.Send(2, nil), 2, serialclient.NotRun, serialclient.ErrBroken)
				response, err := p.Receive(nil)
				test.check(t, response, err)
				require.NoError(t, p.Close())
				require.Error(t, c.Err())
			})
		})
	}
}

// TestContextAfterEarlyResponse: a call whose response is there, and whose request is cut short by its
// context, has the response, and the connection is not used any further.
func TestContextAfterEarlyResponse(t *testing.T) {
	for name, test := range early {
		for _, size := range []int{2000, 10 << 10, 100 << 10} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := startOver(t, func(p *peer) {
						p.Read(make([]byte, 1))
						p.write(test.response...)
						<-p.ended
					}, []serialtest.Option{serialtest.Buffer(0)}, serialclient.WithTimeout(serialclient.Timeout{Write: -1}))
					ctx, cancel := context.WithTimeout(background, time.Second)
					defer cancel()
					response, err := c.Call(ctx, 1, bytesOf(size))
					test.check(t, response, err)
					require.Error(t, c.Err(), "the rest of the request would be missing")
					_, err = c.Call(background, 2, nil)
					failure(t, err, 2, serialclient.NotRun, serialclient.ErrBroken)
				})
			})
		}
	}
}

// TestEarlyGoodbye: it ends the sending, whatever the size.
func TestEarlyGoodbye(t *testing.T) {
	for _, size := range []int{20 << 10, 4 * earlyLimit} {
		synctest.Test(t, func(t *testing.T) {
			c := startOver(t, func(p *peer) {
				p.taskCode()
				p.goodbye()
				<-p.ended
			}, []serialtest.Option{serialtest.Buffer(1000)}, serialclient.WithTimeout(serialclient.Timeout{Write: -1}))
			r := <-calling(c, background, 1, bytesOf(size))
			failure(t, r.err, 1, serialclient.NotRun, serialclient.ErrGoodbye)
			require.Less(t, r.after, 100*time.Millisecond)
			require.Equal(t, serialclient.ErrGoodbye, c.Err())
		})
	}
}

// TestFullPipelineKeepsWhatIsKnown: an Error and a Goodbye need no room.
func TestFullPipelineKeepsWhatIsKnown(t *testing.T) {
	const size = 8<<20 - 64 - 10 // two of these leave 20 bytes of room
	for name, test := range map[string]struct {
		last    []byte
		outcome serialclient.Outcome
	}{"error": {[]byte{1, 9}, serialclient.Failed}, "goodbye": {[]byte{2}, serialclient.NotRun}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := startOver(t, func(p *peer) {
					for range 2 {
						p.request()
						p.ok(string(make([]byte, size)))
					}
					p.request()
					p.write(test.last...)
					<-p.ended
				}, []serialtest.Option{serialtest.Buffer(1)}, serialclient.WithMaxResponse(size))
				p, err := c.Pipeline(background)
				require.NoError(t, err)
				for i := range 3 {
					require.NoError(t, p.Send(serial.TaskCode(i), nil))
				}
				p.Send(3, make([]byte, 100000)) // responses are read beside it
				for range 2 {
					_, err = p.Receive(nil)
					require.NoError(t, err)
				}
				_, err = p.Receive(nil)
				require.Equal(t, test.outcome, serialclient.OutcomeOf(err), "%v", err)
				require.NoError(t, p.Close())
			})
		})
	}
}

// TestErrorOfAStreamIsNotHidden: a code that the server answered is told, also when the request fails to be
// read in the same moment.
func TestErrorOfAStreamIsNotHidden(t *testing.T) {
	for name, answer := range map[string][]byte{"error": {1, 42}, "goodbye": {2}} {
		t.Run(name, func(t *testing.T) {
			conn, other := serialtest.Pipe()
			defer other.Close()
			fails := make(chan struct{})
			hooked := &afterRead{Conn: conn}
			c := serialclient.New(hooked, nil)
			defer c.Close()
			closed := make(chan struct{})
			hooked.closed = sync.OnceFunc(func() { close(closed) })
			hooked.read = func() { close(fails); <-closed }
			go func() {
				other.Read(make([]byte, 100))
				other.Write(answer)
			}()
			s, err := c.Stream(background, 1, readerFunc(func([]byte) (int, error) { <-fails; return 0, errRequest }))
			require.NoError(t, err)
			_, err = s.Read(make([]byte, 1))
			require.NotErrorIs(t, err, errRequest)
			require.NotEqual(t, serialclient.Unknown, serialclient.OutcomeOf(err))
			require.NoError(t, s.Close())
		})
	}
}

// afterRead is a connection that calls read after its first Read that brought something, and closed before
// its Close.
type afterRead struct {
	net.Conn
	read, closed func()
}

func (c *afterRead) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if read := c.read; n > 0 && read != nil {
		c.read = nil
		read()
	}
	return n, err
}

func (c *afterRead) Close() error {
	c.closed()
	return c.Conn.Close()
}
