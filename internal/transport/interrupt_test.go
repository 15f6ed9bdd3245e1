package transport

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

func TestInterruptRead(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for name, read := range reads {
			c, peer := pipe(t, layer)
			done := run(func() (int, error) { return read(c) })
			wait(limit / 2)
			pending(t, done)
			c.InterruptRead()
			require.Equal(t, result{0, ErrInterrupted, limit / 2}, <-done, name)

			mustWrite(t, peer, "x")
			c.SetReadDeadline(time.Now().Add(limit))
			require.Equal(t, result{0, ErrInterrupted, 0}, now(func() (int, error) { return read(c) }), "all that follow")
			c.ResumeRead()
			require.Equal(t, result{1, nil, 0}, now(func() (int, error) { return read(c) }), "nothing was lost")
			require.Equal(t, result{0, ErrTimeout, limit}, now(func() (int, error) { return read(c) }))
		}
	})
}

func TestInterruptWrite(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		c, peer := pipe(t, layer, serialtest.Buffer(0))
		write := func() (int, error) { return c.WriteWithin([]byte("hello"), limit) }
		done := run(write)
		mustRead(t, peer, "he")
		wait(limit / 2)
		c.InterruptWrite()
		require.Equal(t, result{2, ErrInterrupted, limit / 2}, <-done)
		require.Equal(t, result{0, ErrInterrupted, 0}, now(write), "all that follow")
		c.ResumeWrite()
		done = run(write)
		mustRead(t, peer, "hello")
		require.Equal(t, result{5, nil, 0}, <-done)
		require.Equal(t, result{0, ErrTimeout, limit}, now(write))
	})
}

// Directions are interrupted one by one.
func TestInterruptLeavesTheOtherDirection(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		c, peer := pipe(t, layer)
		c.InterruptRead()
		_, err := c.WriteWithin([]byte("x"), limit)
		require.NoError(t, err)
		mustRead(t, peer, "x")
		c.ResumeRead()
		c.InterruptWrite()
		mustWrite(t, peer, "y")
		_, err = c.ReadWithin(make([]byte, 1), limit)
		require.NoError(t, err)
	})
}

// An interruption wins over a timeout at the same moment, and over the end of the wait.
func TestInterruptAtTheDeadline(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for _, at := range around {
			c, _ := pipe(t, layer)
			done := run(func() (int, error) { return c.ReadWithin(make([]byte, 1), limit) })
			time.AfterFunc(at, c.InterruptRead)
			r := <-done
			require.Equal(t, min(at, limit), r.after)
			switch {
			case at < limit:
				require.Equal(t, ErrInterrupted, r.err)
			case at > limit:
				require.Equal(t, ErrTimeout, r.err)
			}
		}
	})
}

// Whatever several goroutines do to a deadline, once they have stopped a read ends exactly when it
// is to. In between nothing but the bytes and the documented errors comes.
func TestDeadlineUnderRace(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for seed := range uint64(20) {
			c, peer := pipe(t, layer)
			var others sync.WaitGroup
			for i := range uint64(3) {
				rnd := rand.New(rand.NewPCG(seed, i))
				others.Go(func() { disturb(c, rnd) })
			}
			later(limit/2, peer, "x")
			for got := 0; got == 0; {
				n, err := c.ReadWithin(make([]byte, 9), limit/10)
				if err != nil {
					require.Contains(t, []error{ErrTimeout, ErrInterrupted}, err)
					wait(time.Millisecond) // or an interruption would stop the clock
				}
				got += n
			}
			others.Wait()
			c.ResumeRead()
			for name, read := range reads {
				require.Equal(t, result{0, ErrTimeout, limit}, now(func() (int, error) { return read(c) }), name)
				later(limit-1, peer, "x")
				require.Equal(t, result{1, nil, limit - 1}, now(func() (int, error) { return read(c) }), name)
			}
		}
	})
}

// disturb moves the deadline of reads, interrupts and resumes them.
func disturb(c *Conn, rnd *rand.Rand) {
	for range 100 {
		switch rnd.IntN(4) {
		case 0:
			c.SetReadDeadline(time.Now().Add(time.Duration(rnd.IntN(200)-100) * time.Millisecond))
		case 1:
			c.SetReadDeadline(time.Time{})
		case 2:
			c.InterruptRead()
		}
		wait(time.Duration(rnd.IntN(10)) * time.Millisecond)
		c.ResumeRead()
	}
}

// The same on sockets, for the race detector and the kernel: no interruption is missed.
func TestInterruptIsNeverMissed(t *testing.T) {
	for name, pair := range sockets {
		t.Run(name, func(t *testing.T) {
			own, _ := pair(t)
			c := NewConn(own, Rate{})
			for i := range 300 {
				started := make(chan struct{})
				done := run(func() (int, error) {
					close(started)
					return c.ReadWithin(make([]byte, 1), time.Hour)
				})
				if i%2 == 0 {
					<-started
				}
				go c.SetReadDeadline(time.Now().Add(time.Hour))
				c.InterruptRead()
				require.Equal(t, ErrInterrupted, (<-done).err)
				c.ResumeRead()
			}
		})
	}
}

// A read blocked for ever sees the deadline that it is given while it begins.
func TestMoveRacesWithBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 300 {
			c, peer := pipe(t, layers["stepped"])
			in := NewInput(c)
			var mu sync.Mutex
			var until time.Time
			in.Deadline = func() time.Time {
				mu.Lock()
				defer mu.Unlock()
				return until
			}
			done := run(only(func() error { return in.Wait(time.Now()) }))
			mu.Lock()
			until = time.Now().Add(limit)
			mu.Unlock()
			in.Recheck()
			require.Equal(t, result{0, ErrTimeout, limit}, <-done)
			peer.Close()
			c.Close()
		}
	})
}
