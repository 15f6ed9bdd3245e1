package serialclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// TestStreamWhole: what goes in comes out, whatever the sizes, the pieces and the buffers.
func TestStreamWhole(t *testing.T) {
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"as it is":       func(r io.Reader) io.Reader { return r },
		"unknown length": func(r io.Reader) io.Reader { return iotest.HalfReader(r) },
		"byte by byte":   iotest.OneByteReader,
		"data and error": iotest.DataErrReader,
		"empty reads":    func(r io.Reader) io.Reader { return &hesitant{r: r} },
	} {
		for _, buffer := range []int{0, 1, serialtest.DefaultBuffer} {
			t.Run(name, func(t *testing.T) {
				for _, size := range []int{0, 1, 255, 256, 5000, 20 << 10} {
					c := startOver(t, echoesLive, []serialtest.Option{serialtest.Buffer(buffer)})
					for range 2 {
						s, err := c.Stream(background, 1, wrap(bytes.NewReader(bytesOf(size))))
						require.NoError(t, err)
						got, err := io.ReadAll(s)
						require.NoError(t, err)
						require.Equal(t, bytesOf(size), append([]byte{}, got...))
						require.NoError(t, s.Close())
					}
				}
			})
		}
	}
}

// echoesLive answers each byte of a request at once.
func echoesLive(p *peer) {
	for {
		if _, err := p.in.ReadByte(); err != nil {
			return
		}
		p.write(okCode)
		out := serial.NewWriter(p.Conn)
		in := serial.NewReader(p.in)
		for buf := make([]byte, 4096); ; {
			n, err := in.Read(buf)
			out.Write(buf[:n])
			if err == io.EOF {
				out.Close()
				break
			}
			if err != nil || out.Flush() != nil {
				return
			}
		}
	}
}

// hesitant returns (0, nil) ninety-nine times before each read that gives something.
type hesitant struct {
	r     io.Reader
	empty int
}

func (h *hesitant) Read(p []byte) (int, error) {
	if h.empty = (h.empty + 1) % 100; h.empty != 0 {
		return 0, nil
	}
	return h.r.Read(p)
}

// TestStreamNil: a nil request is an empty one.
func TestStreamNil(t *testing.T) {
	c := start(t, func(p *peer) {
		p.bytes(1, 0)
		p.ok("x")
		p.end()
	})
	s, err := c.Stream(background, 1, nil)
	require.NoError(t, err)
	got, err := io.ReadAll(s)
	require.NoError(t, err)
	require.Equal(t, "x", string(got))
	require.NoError(t, s.Close())
}

// TestStreamIsLive: each piece arrives at once in both directions, while both go on.
func TestStreamIsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, echoesLive)
		r, w := io.Pipe()
		s, err := c.Stream(background, 1, r)
		require.NoError(t, err)
		begin := time.Now()
		for i, piece := range []string{"a", "bc", strings.Repeat("d", 255), strings.Repeat("e", 1000), "f"} {
			require.Equal(t, time.Duration(i)*time.Hour, time.Since(begin), "nothing took time but the waiting below")
			_, err := io.WriteString(w, piece)
			require.NoError(t, err)
			got := make([]byte, len(piece))
			_, err = io.ReadFull(s, got)
			require.NoError(t, err)
			require.Equal(t, piece, string(got))
			afterDelay(time.Hour) // no timeout runs: the request has not ended
		}
		require.NoError(t, w.Close())
		_, err = s.Read(make([]byte, 1))
		require.Equal(t, io.EOF, err)
		require.NoError(t, s.Close())
		usable(t, c)
	})
}

// TestStreamTaskCodeIsNotHeldBack: a request that has no byte yet is begun within a millisecond.
func TestStreamTaskCodeIsNotHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		came := make(chan time.Duration, 1)
		c := start(t, func(p *peer) {
			p.taskCode()
			came <- time.Since(begin)
			p.message()
			p.ok("")
			p.gone()
		})
		r, w := io.Pipe()
		s, err := c.Stream(background, 1, r)
		require.NoError(t, err)
		require.Equal(t, time.Millisecond, <-came)
		require.NoError(t, w.Close())
		_, err = io.ReadAll(s)
		require.NoError(t, err)
		require.NoError(t, s.Close())
	})
}

// TestStreamOfKnownLength goes out in full buffers.
func TestStreamOfKnownLength(t *testing.T) {
	conn, other := serialtest.Pipe()
	counted := &writeCounter{Conn: conn}
	c := client(t, counted, play(t, other, echoes))
	const size = 100 << 10
	s, err := c.Stream(background, 1, bytes.NewReader(bytesOf(size)))
	require.NoError(t, err)
	_, err = io.ReadAll(s)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.EqualValues(t, 3, counted.writes.Load(), "of 16 KiB, 64 KiB and the rest")
}

var errRequest = errors.New("the request cannot be read")

// TestStreamRequestFails: the call is cut, not ended, and says why. Before a byte was sent it did not
// run.
func TestStreamRequestFails(t *testing.T) {
	failing := iotest.ErrReader(errRequest)
	for name, test := range map[string]struct {
		request io.Reader
		sent    []byte
		reason  error
	}{
		"at once":        {failing, nil, errRequest},
		"with bytes":     {iotest.DataErrReader(io.MultiReader(strings.NewReader("some"), failing)), nil, errRequest},
		"later":          {io.MultiReader(strings.NewReader("some"), failing), []byte{1, 4, 's', 'o', 'm', 'e'}, errRequest},
		"no progress":    {stuck{}, []byte{1}, io.ErrNoProgress},
		"unexpected end": {iotest.ErrReader(io.ErrUnexpectedEOF), nil, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := start(t, func(p *peer) {
					p.bytes(test.sent...)
					p.end()
				})
				s, err := c.Stream(background, 1, test.request)
				require.NoError(t, err)
				_, err = io.ReadAll(s)
				outcome := serialclient.NotRun
				if len(test.sent) > 0 {
					outcome = serialclient.Unknown
				}
				failure(t, err, 1, outcome, test.reason)
				require.NoError(t, s.Close())
				broken(t, c, test.reason)
			})
		})
	}
}

// stuck is a reader that returns nothing, again and again.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// blocked is a request that does not end until it is released.
type blocked chan struct{}

func (b blocked) Read([]byte) (int, error) {
	<-b
	return 0, io.EOF
}

// TestStreamRequestBlocks: Close does not wait for the request, and neither does the Client's.
func TestStreamRequestBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		request := make(blocked)
		defer close(request)
		c := start(t, func(p *peer) {
			p.bytes(1)
			p.end()
		})
		s, err := c.Stream(background, 1, request)
		require.NoError(t, err)
		afterDelay(time.Minute)
		begin := time.Now()
		require.NoError(t, s.Close())
		_, err = c.Call(background, 2, nil)
		failure(t, err, 2, serialclient.NotRun, serialclient.ErrBroken)
		require.NoError(t, c.Close())
		require.Zero(t, time.Since(begin))
	})
}

// TestStreamContextWithBlockedRequest: the call returns at once.
func TestStreamContextWithBlockedRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		request := make(blocked)
		defer close(request)
		c := start(t, func(p *peer) {
			p.bytes(1)
			p.end()
		})
		ctx, cancel := context.WithTimeoutCause(background, time.Minute, errCause)
		defer cancel()
		begin := time.Now()
		s, err := c.Stream(ctx, 1, request)
		require.NoError(t, err)
		_, err = io.ReadAll(s)
		failure(t, err, 1, serialclient.Unknown, errCause)
		require.Equal(t, time.Minute, time.Since(begin))
		require.NoError(t, s.Close())
		require.Error(t, c.Err())
	})
}

// TestStreamClosedHalfWay: the rest of the response is thrown away, and the next call works.
func TestStreamClosedHalfWay(t *testing.T) {
	for name, startPeer := range starts {
		t.Run(name, func(t *testing.T) {
			c := startPeer(t, func(p *peer) {
				for range 4 {
					_, size := p.request()
					p.ok(strings.Repeat("x", len(size)*1000))
				}
				echoes(p)
			})
			for _, read := range []int{0, 1, 255, 5000} {
				s, err := c.Stream(background, 1, bytes.NewReader(bytesOf(900)))
				require.NoError(t, err)
				_, err = io.ReadFull(s, make([]byte, read))
				require.NoError(t, err)
				if read == 0 {
					<-serialclient.Sent(s)
				}
				require.NoError(t, s.Close())
				require.NoError(t, s.Close())
				_, err = s.Read(make([]byte, 1))
				require.Equal(t, serialclient.ErrStreamClosed, err)
			}
			usable(t, c)
		})
	}
}

// TestStreamClosedWhileItIsSent: when the request was read to its end, Close waits for nothing, and
// the connection goes on once the server has taken the rest.
func TestStreamClosedWhileItIsSent(t *testing.T) {
	for _, late := range []time.Duration{0, time.Second, abandonedTime - 1, abandonedTime + 1} {
		synctest.Test(t, func(t *testing.T) {
			c := startOver(t, func(p *peer) {
				afterDelay(late)
				if late > abandonedTime {
					p.end()
					return
				}
				p.expect(1, "request")
				p.ok("nobody wants this")
				echoes(p)
			}, []serialtest.Option{serialtest.Buffer(0)}, serialclient.WithTimeout(serialclient.Timeout{Write: -1}))
			s, err := c.Stream(background, 1, strings.NewReader("request"))
			require.NoError(t, err)
			synctest.Wait() // the request is read, and nothing of it is sent
			begin := time.Now()
			require.NoError(t, s.Close())
			require.Zero(t, time.Since(begin))
			if late < abandonedTime {
				usable(t, c)
				require.Equal(t, late, time.Since(begin))
				return
			}
			_, err = c.Call(background, 2, nil)
			failure(t, err, 2, serialclient.NotRun, serialclient.ErrBroken)
			require.Equal(t, abandonedTime, time.Since(begin))
		})
	}
}

// TestStreamClosedWhileItIsRead: the Read returns at once.
func TestStreamClosedWhileItIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rest := make(chan struct{})
		c := start(t, func(p *peer) {
			p.expect(1, "")
			p.write(0, 3, 'a')
			<-rest
			p.write('b', 'c', 0)
			echoes(p)
		})
		s, err := c.Stream(background, 1, nil)
		require.NoError(t, err)
		_, err = s.Read(make([]byte, 1))
		require.NoError(t, err)
		read := make(chan error)
		go func() {
			_, err := s.Read(make([]byte, 1))
			read <- err
		}()
		synctest.Wait()
		begin := time.Now()
		require.NoError(t, s.Close())
		require.Equal(t, serialclient.ErrStreamClosed, <-read)
		require.Zero(t, time.Since(begin))
		close(rest)
		usable(t, c)
	})
}

// TestStreamResponseCut: what came before is read, and then the truth.
func TestStreamResponseCut(t *testing.T) {
	c := start(t, func(p *peer) {
		p.expect(1, "")
		p.write(0, 3, 'a', 'b', 'c', 2, 'd')
	})
	s, err := c.Stream(background, 1, nil)
	require.NoError(t, err)
	got, err := io.ReadAll(s)
	require.Equal(t, "abcd", string(got))
	failure(t, err, 1, serialclient.Unknown, io.ErrUnexpectedEOF)
	_, again := s.Read(make([]byte, 1))
	require.Equal(t, err, again)
	require.NoError(t, s.Close())
	broken(t, c, io.ErrUnexpectedEOF)
}

// TestStreamEarlyResponse: sending stops at once, and the response is the stream's.
func TestStreamEarlyResponse(t *testing.T) {
	for name, test := range early {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := start(t, func(p *peer) {
					p.taskCode()
					p.write(test.response...)
					p.stops(math.MaxInt)
				})
				s, err := c.Stream(background, 1, endless{})
				require.NoError(t, err)
				got, err := io.ReadAll(s)
				test.check(t, got, err)
				require.NoError(t, s.Close())
				broken(t, c, c.Err())
			})
		})
	}
}

// endless reads as zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestStreamIsNotRead: a stream that nobody reads does not fill the memory.
func TestStreamIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, echoesLive, serialclient.WithTimeout(serialclient.Timeout{Write: -1}))
		counted := new(counter)
		s, err := c.Stream(background, 1, counted)
		require.NoError(t, err)
		afterDelay(time.Hour)
		require.Less(t, counted.n.Load(), int64(4*serialtest.DefaultBuffer))
		require.NoError(t, s.Close())
	})
}

// counter is an endless reader that counts.
type counter struct{ n atomic.Int64 }

func (c *counter) Read(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

// TestStreamHasNoLimit but its reader's.
func TestStreamHasNoLimit(t *testing.T) {
	c := start(t, echoes, serialclient.WithMaxResponse(10))
	s, err := c.Stream(background, 1, bytes.NewReader(bytesOf(100000)))
	require.NoError(t, err)
	got, err := io.ReadAll(s)
	require.NoError(t, err)
	require.Len(t, got, 100000)
	require.NoError(t, s.Close())
}

// TestClosedStreamHasItsOwnLimit: what is thrown away behind Close is not held against WithMaxResponse.
func TestClosedStreamHasItsOwnLimit(t *testing.T) {
	for _, size := range []int{1000, abandonedBytes - 1, abandonedBytes, abandonedBytes + 1, abandonedBytes + 1000} {
		synctest.Test(t, func(t *testing.T) {
			c := startOver(t, func(p *peer) {
				<-time.After(20 * time.Millisecond)
				_, message := p.request()
				p.ok(string(bytesOf(size)))
				require.Len(t, message, 1000)
				echoes(p)
			}, []serialtest.Option{serialtest.Buffer(100)}, serialclient.WithMaxResponse(10))
			s, err := c.Stream(background, 1, strings.NewReader(string(bytesOf(1000))))
			require.NoError(t, err)
			<-time.After(2 * time.Millisecond)
			require.NoError(t, s.Close())
			<-time.After(time.Second)
			if size > abandonedBytes {
				require.Error(t, c.Err())
				return
			}
			_, err = c.Call(background, 1, []byte("hi"))
			require.NoError(t, err)
		})
	}
}
