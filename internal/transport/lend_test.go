package transport

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

// What is buffered when the output is lent is written within flushAfter, and not before.
func TestLentOutputIsFlushed(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for _, wants := range []time.Duration{flushAfter - 1, flushAfter, flushAfter + 1} {
			out, peer := outputPipe(t, layer)
			for range 3 {
				out.Write([]byte("hello"))
				out.Lend()
				done := run(func() (int, error) { return peer.Read(make([]byte, 9)) })
				settle(wants)
				if err := out.Reclaim(); wants < flushAfter {
					require.NoError(t, err)
					require.Equal(t, 5, out.Buffered())
					pending(t, done)
					require.NoError(t, out.Flush())
				}
				require.Equal(t, result{5, nil, min(wants, flushAfter)}, <-done)
				requireCounts(t, out, int(out.Sent()), 0, BufferSize)
				out.Stop()
			}
		}
	})
}

// Bytes are held no longer than flushAfter, however often the output is lent and reclaimed.
func TestLentAgainAndAgain(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for _, every := range []time.Duration{1, flushAfter / 7, flushAfter - 1, flushAfter, flushAfter + 1} {
			out, peer := outputPipe(t, layer)
			var written []time.Time // when each byte was, while the output was lent
			received := run(func() (int, error) {
				for i := 0; ; i++ {
					if _, err := peer.Read(make([]byte, 1)); err != nil {
						return i, nil
					}
					require.LessOrEqual(t, time.Since(written[i]), flushAfter)
				}
			})
			for range 50 {
				written = append(written, time.Now())
				require.NoError(t, out.WriteByte('x'))
				out.Lend()
				settle(every)
				require.NoError(t, out.Reclaim())
			}
			out.Lend()
			settle(flushAfter)
			require.NoError(t, out.Reclaim())
			out.Stop()
			require.Zero(t, out.Buffered())
			out.conn.Close()
			require.Equal(t, 50, (<-received).n)
		}
	})
}

// A lent output with nothing in it costs no timer.
func TestLendOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, _ := outputPipe(t, layers["plain"])
		out.Lend()
		require.Nil(t, out.lending.timer)
		require.NoError(t, out.FlushLent())
		require.NoError(t, out.Reclaim())
		require.NoError(t, out.Reclaim())
		out.Stop()
	})
}

func TestFlushLent(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		out, peer := outputPipe(t, layer)
		out.Write([]byte("hello"))
		require.NoError(t, out.FlushLent())
		require.Equal(t, 5, out.Buffered(), "it is not lent")
		out.Lend()
		require.NoError(t, out.FlushLent())
		mustRead(t, peer, "hello")
		require.NoError(t, out.FlushLent())
		require.NoError(t, out.Reclaim())
		requireCounts(t, out, 5, 0, BufferSize)
		out.Stop()
	})
}

// Reclaim waits for a flush that is going on, and tells its error.
func TestReclaimWaitsForTheFlush(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for _, at := range around {
			out, peer := outputPipe(t, layer, serialtest.Buffer(0))
			out.Write([]byte("x"))
			out.Lend()
			flushed := run(only(out.FlushLent))
			pending(t, flushed)
			require.NoError(t, out.FlushLent(), "somebody else is at it")
			reclaimed := run(only(out.Reclaim))
			time.AfterFunc(at, func() { peer.Read(make([]byte, 1)) })
			pending(t, reclaimed)
			require.NoError(t, out.FlushLent(), "somebody else is at it, and the owner waits")
			want := result{0, nil, at}
			if at >= limit {
				want = result{0, ErrTimeout, limit}
			}
			require.Equal(t, want, <-flushed)
			require.Equal(t, want, <-reclaimed)
			require.Equal(t, want.err, out.Err())
			out.Stop()
		}
	})
}

// A flush that is over does not keep the owner, and its error waits for him.
func TestReclaimAfterTheFlush(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		out, _ := outputPipe(t, layer, serialtest.Buffer(0))
		out.Write([]byte("x"))
		out.Lend()
		settle(flushAfter + limit)
		require.Equal(t, result{0, ErrTimeout, 0}, now(only(out.Reclaim)))
		out.Stop()
	})
}

// Stop ends the timer, or waits for the flush that it has begun; the output can be lent again.
func TestStop(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		out, peer := outputPipe(t, layer, serialtest.Buffer(0))
		stop := only(func() error { out.Stop(); return nil })
		require.Zero(t, now(stop).after)
		out.Write([]byte("x"))
		out.Lend()
		require.NoError(t, out.Reclaim())
		require.Zero(t, now(stop).after)
		require.Zero(t, now(stop).after)
		settle(10 * flushAfter)
		require.Equal(t, 1, out.Buffered(), "the timer is stopped")

		out.Lend()
		settle(flushAfter)
		time.AfterFunc(limit/2, func() { peer.Read(make([]byte, 1)) })
		require.Equal(t, limit/2, now(stop).after, "the flush is waited for")
		require.NoError(t, out.Reclaim())
		require.Zero(t, out.Buffered())

		out.Write([]byte("y"))
		out.Lend()
		settle(flushAfter)
		out.conn.Close()
		require.Zero(t, now(stop).after, "the connection has been closed")
		require.ErrorIs(t, out.Reclaim(), net.ErrClosed)
	})
}

// A timer that fires while the owner has the output leaves it alone.
func TestTimerWhileOwned(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		out, peer := outputPipe(t, layer)
		out.Write([]byte("x"))
		out.Lend()
		require.NoError(t, out.Reclaim())
		settle(flushAfter)
		require.Equal(t, 1, out.Buffered())
		out.Lend()
		settle(flushAfter)
		require.NoError(t, out.Reclaim())
		mustRead(t, peer, "x")
		out.Stop()
	})
}

// The owner, the timer and several others at once, over connections of all speeds: the bytes arrive
// once and in order, and the counts are right. For the race detector.
func TestLendingUnderRace(t *testing.T) {
	pairs := map[string]func(testing.TB) (own, peer net.Conn){
		"unbuffered": func(testing.TB) (net.Conn, net.Conn) { return serialtest.Pipe(serialtest.Buffer(0)) },
		"slow": func(testing.TB) (net.Conn, net.Conn) {
			own, peer := serialtest.Pipe(serialtest.Buffer(1))
			return serialtest.Faulty(own, serialtest.ChunkWrites(3)), peer
		},
	}
	for name, pair := range sockets {
		pairs[name] = pair
	}
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			own, peer := pair(t)
			out := NewOutput(NewConn(own, Rate{}))
			data := pattern(2 * BufferSize)
			received := make(chan []byte)
			go func() {
				got, _ := io.ReadAll(peer)
				received <- got
			}()
			stop := flushers(out, 3)
			rnd := rand.New(rand.NewPCG(3, 3))
			for at := 0; at < len(data); {
				p := data[at:min(at+rnd.IntN(100), len(data))]
				at += len(p)
				out.Write(p)
				out.Lend()
				require.LessOrEqual(t, out.Offered(), uint64(at))
				require.NoError(t, out.Reclaim())
				require.Equal(t, uint64(at), out.Queued())
				if rnd.IntN(20) == 0 {
					out.Stop()
				}
			}
			require.NoError(t, out.Flush())
			stop()
			out.Stop()
			require.NoError(t, own.Close())
			require.Equal(t, data, <-received)
			require.Equal(t, uint64(len(data)), out.Sent())
		})
	}
}

// flushers starts goroutines that flush out whenever it is lent. They end with stop.
func flushers(out *Output, n int) (stop func()) {
	done := make(chan struct{})
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					out.FlushLent()
					out.Offered()
				}
			}
		})
	}
	return func() {
		close(done)
		all.Wait()
	}
}

// A flush that panics gives the output back, which has failed.
func TestFlushThatPanics(t *testing.T) {
	out := NewOutput(NewConn(&fake{write: func([]byte) (int, error) { panic("write") }}, Rate{}))
	out.Write([]byte("x"))
	out.Lend()
	require.PanicsWithValue(t, "write", func() { out.FlushLent() })
	require.ErrorIs(t, out.Reclaim(), errPanicked)
	out.Stop()
}
