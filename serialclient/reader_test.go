package serialclient_test

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// failsWith is a request of a few bytes that cannot be read on.
func failsWith(err error) io.Reader {
	return io.MultiReader(strings.NewReader("BYTE"), readerFunc(func([]byte) (int, error) {
		<-time.After(10 * time.Millisecond)
		return 0, err
	}))
}

// TestErrorOfARequestIsNotTheServers: a request that relays another server's error says nothing about this
// one, neither for its own call nor for later ones.
func TestErrorOfARequestIsNotTheServers(t *testing.T) {
	for name, relayed := range map[string]error{
		"goodbye": serialclient.ErrGoodbye,
		"closed":  serialclient.ErrClosed,
		"code":    serial.Errorf(10, "no such thing"),
		"failed":  &serialclient.Error{Outcome: serialclient.NotRun, Err: serialclient.ErrGoodbye},
		"path":    &fs.PathError{Op: "read", Path: "file", Err: fs.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := start(t, func(p *peer) { p.gone() })
				s, err := c.Stream(background, 5, failsWith(relayed))
				require.NoError(t, err)
				_, err = io.ReadAll(s)
				require.Equal(t, serialclient.Unknown, serialclient.OutcomeOf(err), "%v", err)
				require.NoError(t, s.Close())
				_, later := c.Call(background, 6, nil)
				failure(t, later, 6, serialclient.NotRun, serialclient.ErrBroken)
				for _, err := range []error{err, later} {
					require.ErrorIs(t, err, relayed)
					var coder serial.ErrorCoder
					require.False(t, errors.As(err, &coder))
					var path *fs.PathError
					require.Equal(t, name == "path", errors.As(err, &path))
				}
			})
		})
	}
}

// TestResponseBeforeItsRequest is none: neither in a pipeline, nor for a stream.
func TestResponseBeforeItsRequest(t *testing.T) {
	t.Run("pipeline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := start(t, func(p *peer) {
				p.expect(1, "one")
				p.write(append(okResponse("1"), okResponse("forged")...)...)
				p.gone()
			})
			p, err := c.Pipeline(background)
			require.NoError(t, err)
			require.NoError(t, p.Send(1, []byte("one")))
			response, err := p.Receive(nil)
			require.NoError(t, err)
			require.Equal(t, "1", string(response))
			require.NoError(t, p.Send(2, []byte("two")))
			_, err = p.Receive(nil)
			failure(t, err, 2, serialclient.NotRun, serialclient.ErrProtocol)
			require.NoError(t, p.Close())
			broken(t, c, serialclient.ErrProtocol)
		})
	})
	t.Run("goodbye", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := start(t, func(p *peer) {
				p.expect(1, "one")
				p.write(append(okResponse("1"), goodbyeCode)...)
				p.gone()
			})
			p, err := c.Pipeline(background)
			require.NoError(t, err)
			require.NoError(t, p.Send(1, []byte("one")))
			_, err = p.Receive(nil)
			require.NoError(t, err)
			require.NoError(t, p.Send(2, []byte("two")))
			_, err = p.Receive(nil)
			failure(t, err, 2, serialclient.NotRun, serialclient.ErrGoodbye)
			require.NoError(t, p.Close())
		})
	})
	t.Run("stream", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := start(t, func(p *peer) {
				p.ok("forged")
				p.gone()
			})
			r, w := io.Pipe()
			s, err := c.Stream(background, 5, struct {
				io.Reader
				lengther
			}{r, 7})
			require.NoError(t, err)
			_, err = io.ReadAll(s)
			failure(t, err, 5, serialclient.NotRun, serialclient.ErrProtocol)
			w.Close()
			require.NoError(t, s.Close())
		})
	})
}

type lengther int

func (l lengther) Len() int { return int(l) }

// TestNothingIsSentAfterNotRun: while the connection is being closed, what is said to be not run is not sent.
func TestNothingIsSentAfterNotRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, other := serialtest.Pipe()
		half, release, got := make(chan struct{}), make(chan struct{}), make(chan []byte, 1)
		c := client(t, slowClose{conn}, play(t, other, func(p *peer) {
			<-half
			closeWrite(p)
			b, _ := io.ReadAll(p.in)
			got <- b
		}))
		s, err := c.Stream(background, 5, readerFunc(func(p []byte) (int, error) {
			<-release
			<-time.After(2 * time.Millisecond)
			return copy(p, "PAYLOAD"), io.EOF
		}))
		require.NoError(t, err)
		go c.Close()
		synctest.Wait()
		close(half)
		_, err = s.Read(make([]byte, 1))
		require.True(t, serialclient.SafeToRetry(err), "%v", err)
		close(release)
		require.Empty(t, <-got)
		require.NoError(t, s.Close())
		<-time.After(time.Second)
	})
}

// slowClose is a connection whose Close takes a while.
type slowClose struct{ net.Conn }

func (c slowClose) Close() error {
	<-time.After(10 * time.Millisecond)
	return c.Conn.Close()
}

// TestAbandonedStreamHasItsTimeOnce: for the rest of its request and its response together.
func TestAbandonedStreamHasItsTimeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startOver(t, func(p *peer) {
			<-time.After(4900 * time.Millisecond)
			p.request()
			p.write(0)
			for err := error(nil); err == nil; {
				<-time.After(time.Second)
				_, err = p.Conn.Write([]byte{1, 'x'})
			}
		}, []serialtest.Option{serialtest.Buffer(10)})
		s, err := c.Stream(background, 5, strings.NewReader(string(bytesOf(3000))))
		require.NoError(t, err)
		<-time.After(2 * time.Millisecond)
		begin := time.Now()
		require.NoError(t, s.Close())
		_, err = c.Call(background, 1, nil)
		require.Error(t, err)
		require.LessOrEqual(t, time.Since(begin), 5*time.Second)
	})
}

// TestRequestIsNotReadAfterClose: but for the Read that is going on.
func TestRequestIsNotReadAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, func(p *peer) { p.gone() })
		reads := 0
		in := make(chan struct{})
		s, err := c.Stream(background, 5, struct { // of known length: no write tells it that the connection is closed
			io.Reader
			lengther
		}{readerFunc(func(p []byte) (int, error) {
			reads++
			<-in
			return 10, nil
		}), 1000})
		require.NoError(t, err)
		synctest.Wait()
		require.NoError(t, s.Close())
		close(in)
		synctest.Wait()
		require.Equal(t, 1, reads)
	})
}
