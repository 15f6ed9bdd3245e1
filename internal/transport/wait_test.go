package transport

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// holding are what an Input may hold when Wait begins.
var holding = map[string]func(*testing.T, *Input, net.Conn){
	"nothing": func(*testing.T, *Input, net.Conn) {},
	"a buffer": func(t *testing.T, in *Input, peer net.Conn) {
		mustWrite(t, peer, "!")
		mustTake(t, in, "!")
		require.NotNil(t, in.buf)
	},
	"a read-ahead": func(t *testing.T, in *Input, _ net.Conn) {
		in.ReadAhead(func(error) {})
		synctest.Wait()
	},
}

func TestWaitAtItsDeadline(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for name, hold := range holding {
			for _, d := range []time.Duration{1, idleAfter - 1, idleAfter, idleAfter + 1, 100 * idleAfter} {
				for _, at := range []time.Duration{d - 1, d, d + 1} {
					in, peer := inputPipe(t, layer)
					hold(t, in, peer)
					until := time.Now().Add(d)
					in.Deadline = func() time.Time { return until }
					if at == 0 {
						mustWrite(t, peer, "x")
					} else {
						later(at, peer, "x")
					}
					want := result{0, nil, at}
					if at >= d {
						want = result{0, ErrTimeout, d}
					}
					require.Equal(t, want, now(only(func() error { return in.Wait(time.Now()) })), "holding %s, %v of %v", name, at, d)
					in.conn.Close()
					in.Join()
				}
			}
		}
	})
}

// Wait returns at once what is buffered.
func TestWaitWithInput(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		in, peer := inputPipe(t, layer)
		mustWrite(t, peer, "hello")
		require.NoError(t, in.Wait(time.Now()))
		require.Equal(t, 5, in.Buffered())
		in.conn.InterruptRead()
		require.NoError(t, in.Wait(time.Now()))
		mustTake(t, in, "hello")
	})
}

// An idle connection gives its buffer up, and gets one back with what comes, however much that is.
func TestIdleInputHoldsNoBuffer(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for name, hold := range holding {
			for _, size := range []int{1, 63, 64, 65, BufferSize, 3 * BufferSize} {
				in, peer := inputPipe(t, layer)
				hold(t, in, peer)
				had := in.buf != nil
				done := run(only(func() error { return in.Wait(time.Now()) }))
				wait(idleAfter - 1)
				pending(t, done)
				require.Equal(t, had, in.buf != nil, name)
				in.conn.ResumeRead() // takes the lock that the owner takes next: it writes after this look
				wait(1)
				pending(t, done)
				require.Nil(t, in.buf, name)
				require.Nil(t, in.ahead, name)
				wait(1000 * idleAfter)
				sent := pattern(size)
				mustWrite(t, peer, string(sent))
				require.NoError(t, (<-done).err)
				mustTake(t, in, string(sent))
			}
		}
	})
}

// Release gives back a buffer with nothing in it, and only that.
func TestReleaseOfAnInput(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		in, peer := inputPipe(t, layer)
		in.Release()
		mustWrite(t, peer, "ab")
		mustTake(t, in, "a")
		in.Release()
		mustTake(t, in, "b")
		in.Release()
		require.Nil(t, in.buf)
		in.Release()
		mustWrite(t, peer, "c")
		mustTake(t, in, "c")
	})
}

func TestRecheck(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for name, hold := range holding {
			for what, m := range moves {
				in, peer := inputPipe(t, layer)
				hold(t, in, peer)
				begin := time.Now()
				until := begin.Add(limit)
				in.Deadline = func() time.Time { return until }
				time.AfterFunc(limit/2, func() {
					in.mu.Lock() // as Wait asks
					until = time.Time{}
					if m.to > 0 {
						until = begin.Add(m.to)
					}
					in.mu.Unlock()
					in.Recheck()
				})
				done := run(only(func() error { return in.Wait(time.Now()) }))
				if m.ends > 0 {
					require.Equal(t, result{0, ErrTimeout, m.ends}, <-done, "%s, holding %s", what, name)
					continue
				}
				wait(10 * limit)
				pending(t, done)
				peer.Close()
				require.Equal(t, io.EOF, (<-done).err)
			}
		}
	})
}

// Recheck does not keep an idle connection's buffer.
func TestRecheckOfAnIdleInput(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for name, hold := range holding {
			in, peer := inputPipe(t, layer)
			hold(t, in, peer)
			done := run(only(func() error { return in.Wait(time.Now()) }))
			wait(idleAfter / 2)
			in.Recheck()
			wait(idleAfter / 2)
			pending(t, done)
			require.Nil(t, in.buf, name)
			require.Nil(t, in.ahead, name)
			peer.Close()
			require.Equal(t, io.EOF, (<-done).err)
		}
	})
}

// Recheck concerns nobody who is not in Wait.
func TestRecheckOutsideWait(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		in, _ := inputPipe(t, layer)
		in.Deadline = func() time.Time { return longAgo }
		in.Recheck()
		require.Equal(t, ErrTimeout, now(only(func() error { return in.Wait(time.Now()) })).err)
		in.err = nil
		done := run(peek(in))
		wait(limit / 2)
		in.Recheck()
		require.Equal(t, result{0, ErrTimeout, limit}, <-done)
	})
}
