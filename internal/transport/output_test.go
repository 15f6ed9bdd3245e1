package transport

import (
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialtest"
)

var _ serial.Sink = (*Output)(nil)

// outputPipe returns an Output with the timeout limit, and its peer.
func outputPipe(t *testing.T, layer func(net.Conn) net.Conn, opts ...serialtest.Option) (*Output, net.Conn) {
	t.Helper()
	c, peer := pipe(t, layer, opts...)
	out := NewOutput(c)
	out.Timeout = limit
	return out, peer
}

// requireCounts compares what out says of itself. Offered is Sent while nothing is being written. The size
// is that of the buffer.
func requireCounts(t *testing.T, out *Output, sent, buffered, size int) {
	t.Helper()
	require.Equal(t, uint64(sent), out.Sent())
	require.Equal(t, uint64(sent), out.Offered())
	require.Equal(t, uint64(sent+buffered), out.Queued())
	require.Equal(t, buffered, out.Buffered())
	require.Equal(t, size-buffered, out.Available())
	require.Equal(t, size-buffered, cap(out.AvailableBuffer()))
	require.Empty(t, out.AvailableBuffer())
}

// The buffer is flushed when something does not fit, and not before.
func TestWriteAcrossTheBuffersEnd(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for _, first := range []int{0, 1, BufferSize - 1, BufferSize} {
			for _, then := range []int{0, 1, 2, BufferSize - 1, BufferSize, BufferSize + 1, 2 * BufferSize, 2*BufferSize + 1} {
				out, peer := outputPipe(t, layer)
				data := pattern(first + then)
				for _, p := range [][]byte{data[:first], data[first:]} {
					n, err := out.Write(p)
					require.NoError(t, err)
					require.Equal(t, len(p), n)
				}
				sent, size := 0, BufferSize
				if len(data) > BufferSize { // and never more than BulkSize beyond it
					sent, size = BufferSize, BulkSize
				}
				requireCounts(t, out, sent, len(data)-sent, size)
				require.NoError(t, out.Flush())
				if size = BufferSize; len(data)-sent >= BufferSize {
					size = BulkSize
				}
				requireCounts(t, out, len(data), 0, size)
				mustRead(t, peer, string(data))
			}
		}
	})
}

func TestWriteByte(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		out, peer := outputPipe(t, layer, serialtest.Buffer(1<<20))
		data := pattern(BufferSize + BulkSize + 1)
		for _, b := range data {
			require.NoError(t, out.WriteByte(b))
		}
		requireCounts(t, out, BufferSize+BulkSize, 1, BulkSize)
		require.NoError(t, out.Flush())
		mustRead(t, peer, string(data))
	})
}

// What was appended to AvailableBuffer is written in place, also where it has outgrown it.
func TestAvailableBuffer(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for _, first := range []int{0, 7, BufferSize - 3, BufferSize} {
			for _, then := range []int{0, 1, 3, 4, BufferSize} {
				out, peer := outputPipe(t, layer)
				data := pattern(first + then)
				out.Write(data[:first])
				n, err := out.Write(append(out.AvailableBuffer(), data[first:]...))
				require.NoError(t, err)
				require.Equal(t, then, n)
				require.NoError(t, out.Flush())
				mustRead(t, peer, string(data))
			}
		}
	})
}

// Whatever is written in whatever pieces arrives in order.
func TestOutputKeepsTheOrder(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for seed := range uint64(20) {
			rnd := rand.New(rand.NewPCG(seed, 2))
			out, peer := outputPipe(t, layer, serialtest.Buffer(rnd.IntN(100)))
			data := pattern(3 * BufferSize)
			received := run(func() (int, error) {
				got, err := io.ReadAll(peer)
				require.Equal(t, data, got)
				return len(got), err
			})
			for at := 0; at < len(data); {
				p := data[at:min(at+rnd.IntN(1<<rnd.IntN(16)), len(data))]
				switch rnd.IntN(6) {
				case 0:
					require.NoError(t, out.WriteByte(data[at]))
					at++
				case 1:
					out.Write(append(out.AvailableBuffer(), p...))
					at += len(p)
				case 2:
					require.NoError(t, out.Flush())
					out.Release()
				case 3:
					out.Lend()
					wait(time.Duration(rnd.IntN(3)) * flushAfter / 2)
					require.NoError(t, out.Reclaim())
				default:
					out.Write(p)
					at += len(p)
				}
				require.Equal(t, uint64(at), out.Queued())
			}
			require.NoError(t, out.Flush())
			out.Stop()
			out.conn.Close()
			require.Equal(t, result{n: len(data)}, result{n: (<-received).n})
		}
	})
}

// The first error sticks, and what the connection took of the write is counted.
func TestOutputErrorsStick(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for fault, want := range map[*serialtest.Fault]error{
			serialtest.CutWrite(105):   syscall.EPIPE,
			serialtest.ResetWrite(105): syscall.ECONNRESET,
			serialtest.ShortWrite(105): io.ErrShortWrite,
			serialtest.StallWrite(105): ErrTimeout,
		} {
			peer, own := serialtest.Pipe()
			defer peer.Close()
			defer own.Close()
			out := NewOutput(NewConn(layer(serialtest.Faulty(own, fault)), Rate{}))
			out.Timeout = limit
			out.Write(pattern(100))
			require.NoError(t, out.Flush())
			out.Write(pattern(10))
			requireCounts(t, out, 100, 10, BufferSize)
			require.ErrorIs(t, out.Flush(), want)
			requireCounts(t, out, 105, 0, BufferSize)
			for range 2 {
				n, err := out.Write(pattern(BufferSize + 1))
				require.ErrorIs(t, err, want)
				require.Zero(t, n)
				require.ErrorIs(t, out.WriteByte(1), want)
				require.ErrorIs(t, out.Flush(), want)
				require.ErrorIs(t, out.Err(), want)
				out.Lend()
				require.ErrorIs(t, out.FlushLent(), want)
				require.ErrorIs(t, out.Reclaim(), want)
				requireCounts(t, out, 105, 0, BufferSize)
			}
			require.Equal(t, 1, fault.Fired())
		}
	})
}

// During a write anybody learns how many bytes the connection may have.
func TestOfferedDuringAWrite(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		out, peer := outputPipe(t, layer, serialtest.Buffer(0))
		for i := range 3 {
			out.Write([]byte("hello"))
			require.Equal(t, uint64(5*i), out.Offered(), "buffered is not offered")
			done := run(only(out.Flush))
			pending(t, done)
			require.Equal(t, uint64(5*i+5), out.Offered())
			mustRead(t, peer, "hel")
			pending(t, done)
			require.Equal(t, uint64(5*i+5), out.Offered())
			mustRead(t, peer, "lo")
			require.NoError(t, (<-done).err)
			requireCounts(t, out, 5*i+5, 0, BufferSize)
		}
		out.Write([]byte("hello"))
		done := run(only(out.Flush))
		mustRead(t, peer, "he")
		out.conn.InterruptWrite()
		require.Equal(t, ErrInterrupted, (<-done).err)
		requireCounts(t, out, 17, 0, BufferSize)
	})
}

// After an interruption, Reset makes the output useable again, with what was queued forgotten.
func TestReset(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		out, peer := outputPipe(t, layer)
		out.Write([]byte("forgotten"))
		out.Reset()
		requireCounts(t, out, 0, 0, BufferSize)
		out.conn.InterruptWrite()
		out.Write([]byte("forgotten"))
		require.Equal(t, ErrInterrupted, out.Flush())
		out.conn.ResumeWrite()
		require.Equal(t, ErrInterrupted, out.Flush(), "until Reset")
		out.Reset()
		requireCounts(t, out, 0, 0, BufferSize)
		out.Write([]byte("hello"))
		require.NoError(t, out.Flush())
		mustRead(t, peer, "hello")
	})
}

// Release gives back a buffer with nothing in it, and only that.
func TestReleaseOfAnOutput(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		out, peer := outputPipe(t, layer)
		out.Release()
		require.NoError(t, out.Flush())
		require.Nil(t, out.buf, "a flush of nothing needs no buffer")
		out.Write([]byte("hello"))
		out.Release()
		require.NotNil(t, out.buf)
		require.NoError(t, out.Flush())
		out.Release()
		require.Nil(t, out.buf)
		out.Release()
		mustRead(t, peer, "hello")
	})
}
