package serialclient_test

import (
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// orders are the orders in which a server may read and write. Each serves n calls.
var orders = map[string]func(p *peer, n, request int, response []byte){
	"reads, then answers": func(p *peer, n, _ int, response []byte) {
		for range n {
			p.request()
			p.write(response...)
		}
	},
	"answers, then reads": func(p *peer, n, _ int, response []byte) {
		for range n {
			p.taskCode()
			p.write(response...)
			p.message()
		}
	},
	"reads half, answers, reads the rest": func(p *peer, n, request int, response []byte) {
		for range n {
			half := serial.EncodedLen(request) / 2
			p.taskCode()
			io.CopyN(io.Discard, p.in, int64(half))
			p.write(response...)
			io.CopyN(io.Discard, p.in, int64(serial.EncodedLen(request)-half))
		}
	},
}

// taskCode reads the first byte of a request.
func (p *peer) taskCode() serial.TaskCode {
	p.Helper()
	task, err := p.in.ReadByte()
	if err != nil {
		p.fail("no request: %v", err)
	}
	return serial.TaskCode(task)
}

// message reads the rest of a request.
func (p *peer) message() {
	p.Helper()
	if _, err := io.Copy(io.Discard, serial.NewReader(p.in)); err != nil {
		p.fail("no message: %v", err)
	}
}

// sizes are those of requests and responses: a byte to a mebibyte.
var sizes = []int{1, 256, 5000, 100 << 10, 256 << 10, 1 << 20}

// TestNoSizeDeadlocks: whatever the buffers between, the sizes and who speaks first. A request of more
// than 256 KiB that is answered before it was sent costs the connection, and nothing else does.
func TestNoSizeDeadlocks(t *testing.T) {
	for name, serve := range orders {
		for _, buffer := range []int{0, 1, serialtest.DefaultBuffer} {
			t.Run(fmt.Sprintf("%s/buffer %d", name, buffer), func(t *testing.T) {
				for _, request := range sizes {
					for _, response := range sizes {
						synctest.Test(t, func(t *testing.T) {
							testSizes(t, serve, buffer, request, response)
						})
					}
				}
			})
		}
	}
}

func testSizes(t *testing.T, serve func(*peer, int, int, []byte), buffer, request, response int) {
	t.Helper()
	body := bytesOf(response)
	c := startOver(t, func(p *peer) {
		if request > 256<<10 {
			p.TB = tolerant{p.TB} // the client may close
		}
		serve(p, 2, request, okResponse(string(body)))
		p.gone()
	}, []serialtest.Option{serialtest.Buffer(buffer)})
	for range 2 {
		got, err := c.Call(background, 1, bytesOf(request))
		if request > 256<<10 && serialclient.OutcomeOf(err) == serialclient.NotRun {
			require.ErrorIs(t, err, serialclient.ErrBroken)
			require.Error(t, c.Err())
			return
		}
		require.NoError(t, err, "request %d, response %d", request, response)
		require.Equal(t, body, got)
	}
}

// tolerant is a test that the peer does not fail.
type tolerant struct{ testing.TB }

func (tolerant) Errorf(string, ...any) {}

// TestPipelineNeverDeadlocks: one goroutine sends thousands of calls before it receives the first
// response, to a server that does not read on while its responses are not read.
func TestPipelineNeverDeadlocks(t *testing.T) {
	const calls = 3000
	for _, buffer := range []int{0, 1, 1000, serialtest.DefaultBuffer} {
		for name, serve := range orders {
			for _, size := range []int{0, 1, 1000} {
				t.Run(fmt.Sprintf("%s/buffer %d/size %d", name, buffer, size), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						c := startOver(t, func(p *peer) {
							serve(p, calls, size, okResponse(string(bytesOf(size))))
							echoes(p)
						}, []serialtest.Option{serialtest.Buffer(buffer)})
						p, err := c.Pipeline(background)
						require.NoError(t, err)
						for range calls {
							require.NoError(t, p.Send(1, bytesOf(size)))
						}
						var dst []byte
						for range calls {
							dst, err = p.Receive(dst[:0])
							require.NoError(t, err)
							require.Equal(t, size, len(dst))
						}
						require.NoError(t, p.Close())
						usable(t, c)
					})
				})
			}
		}
	}
}

// TestPipelineOfTwoGoroutines: one sends, one receives, and the responses are those of the requests.
func TestPipelineOfTwoGoroutines(t *testing.T) {
	for name, startPeer := range starts {
		t.Run(name, func(t *testing.T) {
			const calls = 2000
			c := startPeer(t, echoes)
			p, err := c.Pipeline(background)
			require.NoError(t, err)
			sent := make(chan struct{}, calls)
			go func() {
				defer close(sent)
				for i := range calls {
					if err := p.Send(serial.TaskCode(i%250), bytesOf(i)); err != nil {
						t.Error(err)
						return
					}
					sent <- struct{}{}
				}
			}()
			i := 0
			for range sent {
				response, err := p.Receive(nil)
				require.NoError(t, err)
				require.Equal(t, bytesOf(i), append([]byte{}, response...))
				i++
			}
			require.Equal(t, calls, i)
			require.NoError(t, p.Close())
			usable(t, c)
		})
	}
}

// starts are the connections that tests without a bubble run over.
var starts = map[string]func(testing.TB, script, ...serialclient.Option) *serialclient.Client{
	"pipe": start,
	"unbuffered": func(t testing.TB, f script, opts ...serialclient.Option) *serialclient.Client {
		return startOver(t, f, []serialtest.Option{serialtest.Buffer(0)}, opts...)
	},
	"tcp": startTCP,
}

// TestReceiveBesideAStalledSend: a response that was read beside a stalled write is received at once, and not
// when the next one comes.
func TestReceiveBesideAStalledSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startOver(t, func(p *peer) {
			io.ReadFull(p.Conn, make([]byte, 3))
			<-time.After(20 * time.Millisecond)
			p.ok("one")
			<-time.After(time.Hour) // in which nothing is read
			p.request()
			p.ok("two")
			p.gone()
		}, noBuffer, serialclient.WithTimeout(serialclient.Timeout{Write: -1, Wait: -1}))
		p, err := c.Pipeline(background)
		require.NoError(t, err)
		require.NoError(t, p.Send(1, nil))
		<-time.After(2 * time.Millisecond)
		begin := time.Now()
		sent := make(chan error, 1)
		go func() { sent <- p.Send(2, make([]byte, 1<<20)) }()
		<-time.After(10 * time.Millisecond) // by now it is read beside it
		one := receiving(p)
		require.Equal(t, "one", string((<-one).response))
		require.Less(t, time.Since(begin), time.Second)
		two := receiving(p)
		require.NoError(t, <-sent)
		require.Equal(t, "two", string((<-two).response))
		require.NoError(t, p.Close())
	})
}
