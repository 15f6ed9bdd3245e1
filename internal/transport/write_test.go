package transport

import (
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

// takes makes peer read one byte after each interval, n times.
func takes(peer net.Conn, n int, interval time.Duration) <-chan result {
	return run(func() (int, error) {
		for i := range n {
			wait(interval)
			if _, err := peer.Read(make([]byte, 1)); err != nil {
				return i, err
			}
		}
		return n, nil
	})
}

func TestWriteAtItsLimit(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for _, at := range around {
			c, peer := pipe(t, layer, serialtest.Buffer(0))
			done := run(func() (int, error) { return c.WriteWithin([]byte("x"), limit) })
			time.AfterFunc(at, func() { peer.Read(make([]byte, 1)) })
			want := result{1, nil, at}
			if at >= limit {
				want = result{0, ErrTimeout, limit}
			}
			require.Equal(t, want, <-done, "taken at %v", at)
		}
	})
}

// A peer that takes one byte just before each limit keeps the connection, where its progress can be
// seen. Behind TLS it cannot, and the write as a whole has the limit.
func TestWriteIsRolling(t *testing.T) {
	const size = 50
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		c, peer := pipe(t, layer, serialtest.Buffer(0))
		taken := takes(peer, size, limit-1)
		r := now(func() (int, error) { return c.WriteWithin(pattern(size), limit) })
		if c.tls {
			require.Equal(t, result{1, ErrTimeout, limit}, r)
			c.Close()
			require.Equal(t, 1, (<-taken).n)
			return
		}
		require.Equal(t, result{size, nil, size * (limit - 1)}, r)
		require.Equal(t, size, (<-taken).n)
	})
}

// A peer that stalls in the middle of a write is found 1/writeSteps late at most, and never early.
func TestWriteStalledInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slack = limit / writeSteps
		for _, last := range []time.Duration{1, slack - 1, slack, slack + 1, limit / 2, limit - slack, limit - 1} {
			c, peer := pipe(t, layers["stepped"], serialtest.Buffer(0))
			time.AfterFunc(last, func() { peer.Read(make([]byte, 7)) })
			r := now(func() (int, error) { return c.WriteWithin(pattern(1000), limit) })
			require.Equal(t, 7, r.n)
			require.Equal(t, ErrTimeout, r.err)
			require.GreaterOrEqual(t, r.after, last+limit, "last byte at %v", last)
			require.LessOrEqual(t, r.after, last+limit+slack, "last byte at %v", last)
		}
	})
}

// Where steps would be no time at all, there are none.
func TestWriteWithATinyLimit(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for _, d := range []time.Duration{1, writeSteps - 1, writeSteps, writeSteps + 1} {
			c, _ := pipe(t, layer, serialtest.Buffer(0))
			r := now(func() (int, error) { return c.WriteWithin([]byte("x"), d) })
			require.Equal(t, result{0, ErrTimeout, d}, r)
		}
	})
}

// A write that moved every byte has succeeded, however long ago its deadline was armed.
func TestWriteAfterOldDeadlines(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		c, peer := pipe(t, layer, serialtest.Buffer(1))
		for _, pause := range []time.Duration{0, 1, limit / writeSteps, limit - 1, limit, 10 * limit} {
			_, err := c.WriteWithin([]byte("x"), limit)
			require.NoError(t, err)
			mustRead(t, peer, "x")
			wait(pause)
			done := run(func() (int, error) { return c.WriteWithin([]byte("yz"), limit) })
			wait(limit - 1)
			mustRead(t, peer, "y")
			mustRead(t, peer, "z")
			require.Equal(t, result{2, nil, limit - 1}, <-done, "after %v", pause)
		}
	})
}

// The write deadline of a TLS connection is never an early one, because none that fires is harmless.
func TestTLSWriteDeadlinesAreNeverEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, own := serialtest.Pipe()
		defer peer.Close()
		defer own.Close()
		s := &spy{Conn: own}
		c := NewConn(encrypted{s}, Rate{})
		for i, d := range []time.Duration{limit, 2 * limit, 2 * limit, 0, limit, limit / 2} {
			wait(limit / 5)
			_, err := c.WriteWithin([]byte("x"), d)
			require.NoError(t, err)
			deadlines := s.writes
			if d != 0 { // and none afterwards
				require.Zero(t, deadlines[len(deadlines)-1])
				deadlines = deadlines[:len(deadlines)-1]
			}
			require.Equal(t, after(time.Now(), d), deadlines[len(deadlines)-1], "write %d", i)
			mustRead(t, peer, "x")
		}
	})
}

// A TLS write that timed out is not continued, even where its deadline has fired early.
func TestTLSWriteIsNotContinued(t *testing.T) {
	calls := 0
	c := NewConn(encrypted{&fake{write: func([]byte) (int, error) {
		calls++
		return 3, timedOut{}
	}}}, Rate{})
	for i := range 3 {
		n, err := c.WriteWithin([]byte("hello"), time.Hour)
		require.Equal(t, ErrTimeout, err)
		require.Equal(t, 3, n)
		require.Equal(t, i+1, calls)
	}
}

func TestEmptyWrite(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		c, _ := pipe(t, layer, serialtest.Buffer(0))
		n, err := c.WriteWithin(nil, limit)
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

// What was written before something failed is counted.
func TestWriteCountsWhatWasTaken(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for fault, want := range map[*serialtest.Fault]error{
			serialtest.CutWrite(5):   syscall.EPIPE,
			serialtest.ResetWrite(5): syscall.ECONNRESET,
			serialtest.ShortWrite(5): io.ErrShortWrite,
		} {
			peer, own := serialtest.Pipe()
			defer peer.Close()
			defer own.Close()
			c := NewConn(layer(serialtest.Faulty(own, fault)), Rate{})
			n, err := c.WriteWithin([]byte("0123456789"), limit)
			require.ErrorIs(t, err, want)
			require.Equal(t, 5, n)
			require.Equal(t, 1, fault.Fired())
		}
	})
}

// A TLS connection writes while it reads. That has the deadline of the read, not that of a write which
// was over long ago, and one that is going on keeps its own.
func TestTLSWriteDeadlineOfARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, own := serialtest.Pipe(serialtest.Buffer(1))
		defer peer.Close()
		defer own.Close()
		s := &spy{Conn: own}
		c := NewConn(encrypted{s}, Rate{})
		now := func() time.Time { return s.writes[len(s.writes)-1] }
		_, err := c.WriteWithin([]byte("x"), limit)
		require.NoError(t, err)
		require.Zero(t, now(), "after a write")

		until := time.Now().Add(time.Hour)
		read := run(func() (int, error) { return c.Read(make([]byte, 1), until) })
		synctest.Wait()
		require.Equal(t, until, now(), "while it reads")

		begin := time.Now()
		written := run(func() (int, error) { return c.WriteWithin([]byte("y"), limit) })
		synctest.Wait()
		require.Equal(t, begin.Add(limit), now(), "while it reads and writes")
		until = until.Add(time.Hour)
		c.SetReadDeadline(until)
		require.Equal(t, begin.Add(limit), now(), "whatever the read does")
		mustRead(t, peer, "xy")
		require.NoError(t, (<-written).err)
		require.Equal(t, until, now(), "while it reads on")
		mustWrite(t, peer, "z")
		require.NoError(t, (<-read).err)
	})
}

// Abort closes what is below TLS as well, first.
func TestAbort(t *testing.T) {
	below := &fake{}
	top := &tlsOf{encrypted{&fake{}}, below, 0}
	require.NoError(t, NewConn(top, Rate{}).Abort())
	require.Equal(t, 1, top.belowClosed)
	require.NoError(t, NewConn(below, Rate{}).Abort())
	require.Equal(t, 2, below.closed)
}

type tlsOf struct {
	encrypted
	below       *fake
	belowClosed int // when it was closed itself
}

func (c *tlsOf) NetConn() net.Conn { return c.below }
func (c *tlsOf) Close() error      { c.belowClosed = c.below.closed; return nil }
