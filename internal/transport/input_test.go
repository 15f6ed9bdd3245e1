package transport

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialtest"
)

var _ serial.Source = (*Input)(nil)

// inputPipe returns an Input with the timeout limit, and its peer.
func inputPipe(t *testing.T, layer func(net.Conn) net.Conn, opts ...serialtest.Option) (*Input, net.Conn) {
	t.Helper()
	c, peer := pipe(t, layer, opts...)
	in := NewInput(c)
	in.Timeout = limit
	in.Deadline = func() time.Time { return time.Time{} }
	return in, peer
}

// peek is Peek of one byte, as an operation.
func peek(in *Input) func() (int, error) {
	return func() (int, error) {
		b, err := in.Peek(1)
		return len(b), err
	}
}

// inputReader reads an Input as its owner does.
type inputReader struct{ *Input }

func (in inputReader) Read(p []byte) (int, error) {
	b, err := in.Peek(max(1, min(in.Buffered(), len(p))))
	n := copy(p, b)
	in.Discard(n)
	return n, err
}

// mustTake requires that the next bytes of in are want.
func mustTake(t *testing.T, in *Input, want string) {
	t.Helper()
	mustRead(t, inputReader{in}, want)
}

func TestPeekAndDiscard(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		in, peer := inputPipe(t, layer)
		mustWrite(t, peer, "hello")
		require.Zero(t, in.Buffered())
		for _, n := range []int{1, 5, 3, 0, 5} {
			b, err := in.Peek(n)
			require.NoError(t, err)
			require.Equal(t, "hello"[:n], string(b))
			require.Equal(t, 5, in.Buffered())
		}
		n, err := in.Discard(4)
		require.NoError(t, err)
		require.Equal(t, 4, n)
		b, err := in.Peek(1)
		require.NoError(t, err)
		require.Equal(t, "o", string(b))
		_, err = in.Peek(2)
		require.Error(t, err, "there is one byte")
		require.Equal(t, 1, in.Buffered())
		in.Discard(1)
		require.Equal(t, result{0, ErrTimeout, limit}, now(peek(in)))
	})
}

// Input takes all that is there, and no more than it has room for.
func TestPeekAtTheBuffersSize(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for _, size := range []int{BufferSize - 1, BufferSize, BufferSize + 1, 3 * BufferSize} {
			in, peer := inputPipe(t, layer)
			sent := pattern(size)
			mustWrite(t, peer, string(sent))
			_, err := in.Peek(1)
			require.NoError(t, err)
			require.Equal(t, min(size, BufferSize), in.Buffered())
			mustTake(t, in, string(sent))
		}
	})
}

func TestPeekIsRolling(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for _, at := range around {
			in, peer := inputPipe(t, layer)
			for range 3 {
				later(limit-1, peer, "x")
				require.Equal(t, result{1, nil, limit - 1}, now(peek(in)))
				in.Discard(1)
			}
			later(at, peer, "x")
			want := result{1, nil, at}
			if at >= limit {
				want = result{0, ErrTimeout, limit}
			}
			require.Equal(t, want, now(peek(in)))
		}
	})
}

// The first error is the last: after a timeout nothing is read, however much comes.
func TestInputErrorsStick(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for fault, want := range map[*serialtest.Fault]error{
			serialtest.CutRead(2):   io.EOF,
			serialtest.ResetRead(2): syscall.ECONNRESET,
			serialtest.StallRead(2): ErrTimeout,
		} {
			peer, own := serialtest.Pipe()
			defer peer.Close()
			defer own.Close()
			in := NewInput(NewConn(layer(serialtest.Faulty(own, fault)), Rate{}))
			in.Timeout = limit
			mustWrite(t, peer, "01234")
			mustTake(t, in, "01")
			for range 3 {
				_, err := in.Peek(1)
				require.ErrorIs(t, err, want)
				require.ErrorIs(t, in.Wait(time.Now()), want)
				require.Zero(t, in.Buffered())
			}
			require.Equal(t, 1, fault.Fired())
		}
	})
}

// An interruption alone does not stick.
func TestInputAfterAnInterruption(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		in, peer := inputPipe(t, layer)
		for _, read := range []func() (int, error){peek(in), only(func() error { return in.Wait(time.Now()) })} {
			done := run(read)
			pending(t, done)
			in.conn.InterruptRead()
			require.Equal(t, ErrInterrupted, (<-done).err)
			require.Equal(t, ErrInterrupted, now(read).err)
			in.conn.ResumeRead()
			mustWrite(t, peer, "x")
			mustTake(t, in, "x")
		}
	})
}

// BeforeRead is called before each read of the connection, and for nothing that is buffered.
func TestBeforeRead(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		in, peer := inputPipe(t, layer)
		calls := 0
		var fails error
		in.BeforeRead = func() error { calls++; return fails }
		mustWrite(t, peer, "ab")
		mustTake(t, in, "a")
		require.NoError(t, in.Wait(time.Now()))
		mustTake(t, in, "b")
		require.Equal(t, 1, calls)

		mustWrite(t, peer, "c")
		fails = errors.New("cannot flush")
		_, err := in.Peek(1)
		require.Equal(t, fails, err)
		require.Equal(t, fails, in.Wait(time.Now()))
		fails = nil
		mustTake(t, in, "c")
		require.Equal(t, 4, calls, "its error says nothing about the input")
	})
}

// A paced Input finds a peer too slow in messages, and lets it wait between them.
func TestInputPace(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		c, peer := pacedPipe(t, layer)
		in := NewInput(c)
		in.Deadline = func() time.Time { return time.Time{} }
		later(100*window, peer, "x")
		require.Equal(t, result{0, nil, 100 * window}, now(only(func() error { return in.Wait(time.Now()) })))
		mustTake(t, in, "x")
		require.Equal(t, result{0, ErrTooSlow, window}, now(peek(in)))
	})
}

// An Input is what a serial.Reader decodes from.
func TestInputIsASource(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		in, peer := inputPipe(t, layer)
		message := pattern(5 * BufferSize)
		sent := run(func() (int, error) {
			w := serial.NewWriter(peer)
			w.Write(message)
			return 0, w.Close()
		})
		var r serial.Reader
		r.Reset(in)
		got, err := io.ReadAll(&r)
		require.NoError(t, err)
		require.True(t, bytes.Equal(message, got))
		require.NoError(t, (<-sent).err)
	})
}
