package transport

import (
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

// histories are what a connection's read deadline may have been before. None may make the next read
// end early or late.
var histories = map[string]func(c *Conn, peer net.Conn){
	"fresh":         func(*Conn, net.Conn) {},
	"armed earlier": func(c *Conn, peer net.Conn) { readOne(c, peer, time.Now().Add(limit/3)) },
	"armed later":   func(c *Conn, peer net.Conn) { readOne(c, peer, time.Now().Add(3*limit)) },
	"no deadline":   func(c *Conn, peer net.Conn) { readOne(c, peer, time.Time{}) },
	"timed out":     func(c *Conn, _ net.Conn) { c.Read(make([]byte, 1), time.Now().Add(limit)) },
	"long passed": func(c *Conn, peer net.Conn) {
		readOne(c, peer, time.Now().Add(limit/3))
		wait(limit)
	},
	"moved to the past": func(c *Conn, peer net.Conn) {
		readOne(c, peer, time.Now().Add(limit))
		c.SetReadDeadline(longAgo)
	},
	"interrupted": func(c *Conn, peer net.Conn) {
		readOne(c, peer, time.Now().Add(limit/3))
		c.InterruptRead()
		c.ResumeRead()
	},
}

// readOne reads a byte that is there, within a deadline.
func readOne(c *Conn, peer net.Conn, until time.Time) {
	peer.Write([]byte("!"))
	if _, err := c.Read(make([]byte, 1), until); err != nil {
		panic(err)
	}
}

// reads are the ways to read within limit.
var reads = map[string]func(*Conn) (int, error){
	"Read":       func(c *Conn) (int, error) { return c.Read(make([]byte, 9), time.Now().Add(limit)) },
	"ReadWithin": func(c *Conn) (int, error) { return c.ReadWithin(make([]byte, 9), limit) },
	"Wait": func(c *Conn) (int, error) {
		until := time.Now().Add(limit)
		in := NewInput(c)
		in.Deadline = func() time.Time { return until }
		err := in.Wait(time.Now())
		return in.Buffered(), err
	},
}

func TestReadAtItsDeadline(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for before, history := range histories {
			for name, read := range reads {
				for _, at := range around {
					c, peer := pipe(t, layer)
					history(c, peer)
					later(at, peer, "x")
					want := result{1, nil, at}
					if at >= limit {
						want = result{0, ErrTimeout, limit}
					}
					require.Equal(t, want, now(func() (int, error) { return read(c) }), "%s, %s at %v", before, name, at)
				}
			}
		}
	})
}

// What comes late is read by the next read: a timeout loses nothing.
func TestReadAfterATimeout(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		c, peer := pipe(t, layer)
		for range 3 {
			for _, read := range reads {
				require.Equal(t, result{0, ErrTimeout, limit}, now(func() (int, error) { return read(c) }))
				later(limit-1, peer, "x")
				require.Equal(t, result{1, nil, limit - 1}, now(func() (int, error) { return read(c) }))
			}
		}
	})
}

func TestNoDeadline(t *testing.T) {
	const long = 1000 * time.Hour
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for before, history := range histories {
			for _, d := range []time.Duration{0, -1} {
				c, peer := pipe(t, layer, serialtest.Buffer(1))
				history(c, peer)
				later(long, peer, "x")
				r := now(func() (int, error) { return c.ReadWithin(make([]byte, 9), d) })
				require.Equal(t, result{1, nil, long}, r, before)

				mustWrite(t, c.NetConn(), "y") // fills the buffer
				time.AfterFunc(long, func() { peer.Read(make([]byte, 1)) })
				w := now(func() (int, error) { return c.WriteWithin([]byte("x"), d) })
				require.Equal(t, result{1, nil, long}, w, before)
			}
		}
	})
}

// moves are what another goroutine does to the deadline of a blocked read, at limit/2.
var moves = map[string]struct {
	to   time.Duration // since the start; 0: no deadline
	ends time.Duration // when the read then does; 0: it does not
}{
	"earlier": {to: limit * 3 / 4, ends: limit * 3 / 4},
	"later":   {to: limit * 5, ends: limit * 5},
	"past":    {to: limit / 4, ends: limit / 2},
	"now":     {to: limit / 2, ends: limit / 2},
	"same":    {to: limit, ends: limit},
	"never":   {to: 0, ends: 0},
}

func TestDeadlineMovedWhileBlocked(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for name, m := range moves {
			c, _ := pipe(t, layer)
			begin := time.Now()
			var to time.Time
			if m.to > 0 {
				to = begin.Add(m.to)
			}
			time.AfterFunc(limit/2, func() { c.SetReadDeadline(to) })
			done := run(func() (int, error) { return c.Read(make([]byte, 1), begin.Add(limit)) })
			if m.ends == 0 {
				wait(10 * limit)
				pending(t, done)
				c.Close()
				require.ErrorIs(t, (<-done).err, net.ErrClosed)
				continue
			}
			require.Equal(t, result{0, ErrTimeout, m.ends}, <-done, name)
		}
	})
}

// A deadline is told to the connection only when the one it knows is too late.
func TestDeadlinesAreArmedLazily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, own := serialtest.Pipe()
		defer peer.Close()
		defer own.Close()
		s := &spy{Conn: own}
		c := NewConn(stepped{s}, Rate{})
		begin := time.Now()
		for i := range 1000 {
			wait(time.Millisecond)
			readOne(c, peer, begin.Add(limit+time.Duration(i)*time.Millisecond))
		}
		require.Equal(t, []time.Time{begin.Add(limit)}, s.reads, "rolled a thousand times, armed once")
		readOne(c, peer, begin.Add(limit-1))
		require.Len(t, s.reads, 2, "an earlier one cannot wait")
		readOne(c, peer, time.Time{})
		require.Len(t, s.reads, 2, "none is the latest of all")

		wait(limit) // what is armed has passed
		readOne(c, peer, begin.Add(5*limit))
		require.Equal(t, begin.Add(5*limit), s.reads[2])
	})
}

// A deadline that could not be set is not taken for one that is.
func TestDeadlineThatCannotBeSet(t *testing.T) {
	failed := errors.New("no deadline today")
	calls := 0
	c := NewConn(&fake{
		read:        func([]byte) (int, error) { return 0, os.ErrClosed },
		setDeadline: func(time.Time) error { calls++; return failed },
	}, Rate{})
	until := time.Now().Add(time.Hour)
	for i := range 3 {
		_, err := c.Read(make([]byte, 1), until.Add(time.Duration(i)))
		require.Equal(t, failed, err, "read %d", i)
	}
	require.Equal(t, 3, calls)
}

func TestTimeoutErrors(t *testing.T) {
	for _, err := range []error{ErrTimeout, ErrTooSlow} {
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		var ne net.Error
		require.ErrorAs(t, err, &ne)
		require.True(t, ne.Timeout())
		require.NotEqual(t, ErrTimeout == err, ErrTooSlow == err)
	}
	require.NotErrorIs(t, ErrInterrupted, os.ErrDeadlineExceeded)
}

func TestEarlierAndAfter(t *testing.T) {
	a, never := time.Now(), time.Time{}
	b := a.Add(1)
	for _, c := range []struct{ x, y, want time.Time }{
		{a, b, a}, {b, a, a}, {a, never, a}, {never, a, a}, {never, never, never}, {a, a, a},
	} {
		require.Equal(t, c.want, earlier(c.x, c.y))
	}
	require.Equal(t, b, after(a, 1))
	require.True(t, after(a, 0).IsZero())
	require.True(t, after(a, -1).IsZero())
}
