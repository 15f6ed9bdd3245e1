package transport

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

// A message has its time, however fast its bytes come.
func TestTotalOfAMessage(t *testing.T) {
	type step struct {
		d    time.Duration
		late bool
	}
	for name, steps := range map[string][]step{
		"before":     {{limit - 1, false}},
		"at":         {{limit, true}},
		"after":      {{limit + 1, true}},
		"adds up":    {{limit / 2, false}, {limit/2 - 1, false}, {1, true}},
		"stays late": {{limit, true}, {0, true}},
		"no time":    {{0, false}, {0, false}},
	} {
		p := newPace(rate)
		p.begin(rate, limit)
		for i, s := range steps {
			err := p.moved(1000*share, s.d)
			require.Equal(t, s.late, err == ErrTooLong, "%s, step %d: %v", name, i, err)
		}
	}
}

func TestBeginOfAMessage(t *testing.T) {
	p := newPace(rate)
	at := time.Now()
	p.begin(rate, window/4)
	require.Equal(t, at.Add(window/4), p.deadline(at))
	require.NoError(t, p.moved(0, window/4-1))
	p.begin(rate, 2*window)
	require.Equal(t, at.Add(window), p.deadline(at), "and a window of its own")
	p.begin(Rate{BytesPerSecond: 2 * share, Window: window}, 0)
	require.Equal(t, at.Add(window), p.deadline(at), "another rate begins anew")
	require.NoError(t, p.moved(2*share, window))
	require.Equal(t, ErrTooSlow, p.moved(2*share-1, window))
	p.begin(Rate{}, -1)
	require.True(t, p.deadline(at).IsZero())
	require.NoError(t, p.moved(0, 1000*window))
	p.begin(Rate{}, limit)
	require.Equal(t, at.Add(limit), p.deadline(at))
	require.Equal(t, at.Add(limit), p.last(at))
}

// A peer that keeps to the rate and to the timeout is cut off at the message's time; the next message has
// its own.
func TestReadTotal(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		c, peer := pacedPipe(t, layer)
		for range 2 {
			c.BeginMessage(rate, 2*window)
			for i := range 4 {
				later(window/2*time.Duration(i), peer, string(pattern(share)))
			}
			r := now(func() (int, error) { return readAll(c, window) })
			require.Equal(t, result{4 * share, ErrTooLong, 2 * window}, r)
		}
	})
}

func TestWriteTotal(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		c, peer := pacedPipe(t, layer, serialtest.Buffer(0))
		c.BeginMessage(Rate{}, 2*window)
		for i := range 4 {
			time.AfterFunc(window/2*time.Duration(i), func() { io.ReadFull(peer, make([]byte, share)) })
		}
		r := now(func() (int, error) { return c.WriteWithin(pattern(1000), 10*window) })
		require.Equal(t, 2*window, r.after)
		require.Equal(t, ErrTooLong, r.err)
	})
}

// A read that was begun ahead is held to the same rules when its owner waits for it.
func TestReadAheadTakenOverIsPaced(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for want, begin := range map[error]func(*Conn){
			ErrTooSlow: func(c *Conn) { c.BeginMessage(rate, 0) },
			ErrTooLong: func(c *Conn) { c.BeginMessage(Rate{}, window) },
			ErrTimeout: func(c *Conn) { c.BeginMessage(Rate{}, 0) },
		} {
			for _, steps := range []int{1, 4} {
				c, peer := pipe(t, layer)
				in := NewInput(c)
				in.Timeout = window
				begin(c)
				for i := range steps {
					in.ReadAhead(nobodyGone)
					wait(10 * window)
					if i < steps-1 && want != ErrTimeout {
						later(window/4, peer, "x")
						require.Equal(t, result{1, nil, window / 4}, now(peek(in)))
						in.Discard(1)
					}
				}
				left := window
				if want != ErrTimeout {
					left -= window / 4 * time.Duration(steps-1)
				}
				require.Equal(t, result{0, want, left}, now(peek(in)), "%v after %d", want, steps)
				c.Close()
				in.Join()
			}
		}
	})
}
