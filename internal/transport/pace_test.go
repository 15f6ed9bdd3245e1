package transport

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

// The rate of these tests: 100 bytes in each second of blocked time.
const (
	window = time.Second
	share  = 100
)

var rate = Rate{BytesPerSecond: share, Window: window}

// pacedPipe returns a Conn that holds its peer to rate.
func pacedPipe(t *testing.T, layer func(net.Conn) net.Conn, opts ...serialtest.Option) (*Conn, net.Conn) {
	t.Helper()
	c, peer := pipe(t, layer, opts...)
	return NewConn(c.NetConn(), rate), peer
}

func TestPace(t *testing.T) {
	type step struct {
		n    int
		d    time.Duration
		slow bool
	}
	for name, steps := range map[string][]step{
		"nothing yet":         {{0, window - 1, false}, {0, 1, true}},
		"below":               {{share - 1, window - 1, false}, {0, 1, true}},
		"at":                  {{share - 1, window - 1, false}, {1, 1, false}},
		"above":               {{share + 1, window, false}, {0, window - 1, false}, {0, 1, true}},
		"each window anew":    {{100 * share, window, false}, {share - 1, window, true}},
		"after a slow one":    {{share - 1, window, true}, {share, window, false}},
		"far beyond":          {{share - 1, 10 * window, true}},
		"no time at all":      {{0, 0, false}, {0, 0, false}},
		"many small ones":     {{50, window / 2, false}, {49, window / 4, false}, {1, window / 4, false}},
		"many too small ones": {{50, window / 2, false}, {49, window / 4, false}, {0, window / 4, true}},
	} {
		p := newPace(rate)
		for i, s := range steps {
			err := p.moved(s.n, s.d)
			require.Equal(t, s.slow, err == ErrTooSlow, "%s, step %d: %v", name, i, err)
		}
	}
}

func TestPaceDeadline(t *testing.T) {
	p := newPace(rate)
	at := time.Now()
	require.Equal(t, at.Add(window), p.deadline(at))
	require.NoError(t, p.moved(0, window/4))
	require.Equal(t, at.Add(window*3/4), p.deadline(at))
	require.NoError(t, p.moved(share, window))
	require.Equal(t, at.Add(window), p.deadline(at))
}

func TestNoPace(t *testing.T) {
	for _, r := range []Rate{{}, {share, 0}, {0, window}, {-1, window}, {share, -1}} {
		p := newPace(r)
		require.True(t, p.deadline(time.Now()).IsZero(), r)
		require.NoError(t, p.moved(0, time.Hour), r)
	}
	p := newPace(Rate{1, time.Nanosecond})
	require.Equal(t, ErrTooSlow, p.moved(0, 1), "a share is one byte at least")
}

// A peer that sends its share in each window of blocked time goes on, one that sends a byte less is
// found at the window's end, whatever the rolling timeout.
func TestReadPace(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for _, d := range []time.Duration{0, 10 * window} {
			for _, n := range []int{0, 1, share - 1, share, share + 1} {
				c, peer := pacedPipe(t, layer)
				for i := range n { // the last of them just before the window's end
					later(window-time.Duration(n-i), peer, "x")
				}
				r := now(func() (int, error) { return readAll(c, d) })
				want := result{n, ErrTooSlow, window}
				if n >= share {
					want.after = 2 * window
				}
				require.Equal(t, want, r)
			}
		}
	})
}

// readAll reads with a timeout, byte by byte, until an error.
func readAll(c *Conn, d time.Duration) (int, error) {
	for total := 0; ; {
		n, err := c.ReadWithin(make([]byte, 1), d)
		if total += n; err != nil {
			return total, err
		}
	}
}

// A timeout that is earlier than the window's end is a timeout.
func TestTimeoutBeforeTheWindowEnds(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for d, want := range map[time.Duration]error{
			window - 1: ErrTimeout,
			window:     ErrTooSlow,
			window + 1: ErrTooSlow,
		} {
			c, _ := pacedPipe(t, layer)
			r := now(func() (int, error) { return c.ReadWithin(make([]byte, 1), d) })
			require.Equal(t, result{0, want, min(d, window)}, r)

			c, _ = pacedPipe(t, layer, serialtest.Buffer(0))
			if !c.stepped {
				continue // the window's end is seen when the write is over
			}
			r = now(func() (int, error) { return c.WriteWithin([]byte("x"), d) })
			require.Equal(t, result{0, want, min(d, window)}, r)
		}
	})
}

// The windows are those of the time in which this side was blocked: an owner who comes seldom does
// not make its peer slow.
func TestSlowOwnerIsNotHeldAgainstThePeer(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		c, peer := pacedPipe(t, layer)
		for range 20 {
			mustWrite(t, peer, "x")
			wait(window)
			_, err := c.ReadWithin(make([]byte, 1), 0)
			require.NoError(t, err)
			_, err = c.WriteWithin([]byte("y"), 0)
			require.NoError(t, err)
		}
		require.Equal(t, result{0, ErrTooSlow, window}, now(func() (int, error) { return readAll(c, 0) }))
	})
}

// Blocked time adds up over reads.
func TestBlockedTimeAddsUp(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		c, peer := pacedPipe(t, layer)
		for range 3 {
			later(window/4, peer, "x")
			_, err := c.ReadWithin(make([]byte, 1), 0)
			require.NoError(t, err)
			wait(10 * window)
		}
		require.Equal(t, result{0, ErrTooSlow, window / 4}, now(func() (int, error) { return readAll(c, 0) }))
	})
}

func TestWritePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []time.Duration{0, 10 * window} {
			for _, n := range []int{1, share - 1, share, share + 1} {
				c, peer := pacedPipe(t, layers["stepped"], serialtest.Buffer(0))
				for i := range n {
					time.AfterFunc(window-time.Duration(n-i), func() { peer.Read(make([]byte, 1)) })
				}
				r := now(func() (int, error) { return c.WriteWithin(pattern(1000), d) })
				want := result{n, ErrTooSlow, window}
				if n >= share {
					want.after = 2 * window
				}
				require.Equal(t, want, r)
			}
		}
	})
}

// unscheduled is a socket of a process that gets no CPU for a while after a write: one that has moved something, or each.
type unscheduled struct {
	stepped
	each bool
}

func (u unscheduled) Write(p []byte) (int, error) {
	n, err := u.stepped.Write(p)
	if u.each || n > 0 {
		wait(2 * window)
	}
	return n, err
}

// A process that has to wait for a CPU does not hold that against peers who have taken at once what there was; of those
// who have not it counts all.
func TestWaitingForACPUIsNotHeldAgainstThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := pacedPipe(t, func(c net.Conn) net.Conn { return unscheduled{stepped{c}, false} })
		for range 20 {
			c.BeginMessage(rate, window)
			_, err := c.WriteWithin([]byte("y"), 10*window)
			require.NoError(t, err)
		}
		c, _ = pacedPipe(t, func(c net.Conn) net.Conn { return unscheduled{stepped{c}, true} }, serialtest.Buffer(0))
		_, err := c.WriteWithin([]byte("y"), 10*window)
		require.Equal(t, ErrTooSlow, err)
	})
}

// Where a write says nothing until it is over, it has failed when nothing of it could count in time.
func TestWritePaceOfAWholeWrite(t *testing.T) {
	for _, before := range []int{0, share - 1, share, share + 1} { // bytes that were taken in the same window
		for _, late := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				c, peer := pacedPipe(t, layers["tls"], serialtest.Buffer(0))
				take := func(n int) { io.ReadFull(peer, make([]byte, n)) }
				end := window
				if before > 0 {
					time.AfterFunc(1, func() { take(before) })
					_, err := c.WriteWithin(pattern(before), 0)
					require.NoError(t, err)
					end-- // 1 ns of the window is spent
				}
				if before >= share {
					end += window
				}
				want := result{0, ErrTooSlow, end}
				if !late {
					want = result{share, nil, end - 1}
					time.AfterFunc(end-1, func() { take(share) })
				}
				got := now(func() (int, error) { return c.WriteWithin(pattern(share), 0) })
				require.Equal(t, want, got, "%d before", before)
			})
		}
	}
}

// Directions are measured apart.
func TestPaceOfEachDirection(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		c, peer := pacedPipe(t, layer)
		later(window-1, peer, "x")
		_, err := c.ReadWithin(make([]byte, 1), 0)
		require.NoError(t, err)
		_, err = c.WriteWithin(pattern(1000), 0)
		require.NoError(t, err)
		require.Equal(t, result{0, ErrTooSlow, 1}, now(func() (int, error) { return readAll(c, 0) }))
	})
}
