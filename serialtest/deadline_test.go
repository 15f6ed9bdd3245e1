package serialtest_test

import (
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serialkit/serialkit/serialtest"
	"github.com/stretchr/testify/require"
)

const limit = 3 * time.Second

func timedOut(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	var netErr net.Error
	require.ErrorAs(t, err, &netErr)
	require.True(t, netErr.Timeout())
}

func TestDeadlinesFireExactly(t *testing.T) {
	for name, set := range map[string]func(net.Conn, time.Time) error{
		"both":  net.Conn.SetDeadline,
		"read":  net.Conn.SetReadDeadline,
		"write": net.Conn.SetWriteDeadline,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, _ := serialtest.Pipe(serialtest.Buffer(0))
				require.NoError(t, set(client, time.Now().Add(limit)))
				var ops []<-chan result
				if name != "write" {
					ops = append(ops, reading(client, 1), reading(client, 1))
				}
				if name != "read" {
					ops = append(ops, writing(client, "a"), writing(client, "b"))
				}
				for _, op := range ops {
					r := <-op
					timedOut(t, r.err)
					require.Equal(t, limit, r.after)
					require.Zero(t, r.n)
				}
			})
		})
	}
}

// A read deadline does not touch Writes, nor the other way round.
func TestDeadlinesAreSeparate(t *testing.T) {
	client, server := serialtest.Pipe()
	require.NoError(t, client.SetReadDeadline(time.Now()))
	mustWrite(t, client, "x")
	require.NoError(t, server.SetWriteDeadline(time.Now()))
	mustRead(t, server, "x")
}

// limits are the three moments around a deadline.
var limits = []struct {
	name string
	off  time.Duration
	late bool
}{
	{"one nanosecond before", -time.Nanosecond, false},
	{"at the deadline", 0, true},
	{"one nanosecond after", +time.Nanosecond, true},
}

func TestReadDeadlineAtItsLimit(t *testing.T) {
	for _, test := range limits {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := serialtest.Pipe()
				require.NoError(t, client.SetReadDeadline(time.Now().Add(limit)))
				time.AfterFunc(limit+test.off, func() { _, _ = server.Write([]byte("x")) })
				r := <-reading(client, 1)
				if !test.late {
					require.Equal(t, result{data: "x", n: 1, after: limit - 1}, r)
					return
				}
				timedOut(t, r.err)
				require.Equal(t, limit, r.after)
				require.NoError(t, client.SetReadDeadline(time.Time{}))
				mustRead(t, client, "x")
			})
		})
	}
}

func TestWriteDeadlineAtItsLimit(t *testing.T) {
	for _, size := range []int{0, 2} {
		for _, test := range limits {
			t.Run(test.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, server := serialtest.Pipe(serialtest.Buffer(size))
					require.NoError(t, client.SetWriteDeadline(time.Now().Add(limit)))
					all := writing(client, "abcd")
					time.AfterFunc(limit+test.off, func() { _, _ = server.Read(make([]byte, 4)) })
					r := <-all
					if !test.late {
						require.Equal(t, result{n: 4, after: limit - 1}, r)
						return
					}
					timedOut(t, r.err)
					require.Equal(t, limit, r.after)
					require.Equal(t, size, r.n, "a timed out Write says what was accepted")
					synctest.Wait()
					require.NoError(t, client.Close())
				})
			})
		}
	}
}

// A Read that meets a timed out Write before that wakes takes nothing of it.
func TestWriteIsOverAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := serialtest.Pipe(serialtest.Buffer(0))
		require.NoError(t, client.SetWriteDeadline(time.Now().Add(limit)))
		require.NoError(t, server.SetReadDeadline(time.Now().Add(limit+1)))
		var read []<-chan result
		time.AfterFunc(limit, func() { read = append(read, reading(server, 4)) })
		write := <-writing(client, "abcd")
		require.Zero(t, write.n)
		timedOut(t, write.err)
		synctest.Wait()
		r := <-read[0]
		require.Zero(t, r.n)
		timedOut(t, r.err)
	})
}

func TestPastDeadlineMovesNothing(t *testing.T) {
	for _, past := range []time.Time{time.Unix(1, 0), time.Now().Add(-time.Hour), time.Now()} {
		client, server := serialtest.Pipe()
		mustWrite(t, server, "waits")
		require.NoError(t, client.SetDeadline(past))
		readFails(t, client, os.ErrDeadlineExceeded)
		writeFails(t, client, os.ErrDeadlineExceeded)
		_, err := client.Write(nil)
		timedOut(t, err)

		require.NoError(t, client.SetDeadline(time.Now().Add(time.Hour)))
		mustRead(t, client, "waits")
		mustWrite(t, client, "revived")
		mustRead(t, server, "revived")
		require.NoError(t, client.Close(), "which also stops the timers")
	}
}

func TestPastDeadlineWinsOverTheEnd(t *testing.T) {
	client, server := serialtest.Pipe()
	require.NoError(t, server.Close())
	require.NoError(t, client.SetDeadline(time.Now()))
	readFails(t, client, os.ErrDeadlineExceeded)
	writeFails(t, client, os.ErrDeadlineExceeded)
}

// A deadline set while an operation is blocked applies to it: earlier, later
// (the old one must not fire) and not at all.
func TestDeadlineMovedWhileBlocked(t *testing.T) {
	for name, test := range map[string]struct{ first, second, end time.Duration }{
		"earlier": {limit, 2 * time.Second, 2 * time.Second},
		"later":   {limit, 2 * limit, 2 * limit},
		"now":     {limit, time.Second, time.Second},
		"none":    {limit, 0, 10 * limit},
		"first":   {0, limit, limit},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, _ := serialtest.Pipe(serialtest.Buffer(0))
				start := time.Now()
				at := func(d time.Duration) time.Time {
					if d == 0 {
						return time.Time{}
					}
					return start.Add(d)
				}
				require.NoError(t, client.SetDeadline(at(test.first)))
				read, write := reading(client, 1), writing(client, "x")
				time.AfterFunc(time.Second, func() { _ = client.SetDeadline(at(test.second)) })
				time.AfterFunc(10*limit, func() { _ = client.SetDeadline(time.Unix(1, 0)) })
				for _, op := range []<-chan result{read, write} {
					r := <-op
					timedOut(t, r.err)
					require.Equal(t, test.end, r.after)
				}
			})
		})
	}
}

// A deadline without monotonic clock reading, as from a file, works too.
func TestWallClockDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := serialtest.Pipe()
		require.NoError(t, client.SetReadDeadline(time.Now().Add(limit).Round(0)))
		r := <-reading(client, 1)
		timedOut(t, r.err)
		require.Equal(t, limit, r.after)
	})
}

// The far end of time is no deadline in practice, and no overflow.
func TestVeryFarDeadline(t *testing.T) {
	client, server := serialtest.Pipe()
	require.NoError(t, client.SetDeadline(time.Unix(1<<40, 0)))
	mustWrite(t, client, "x")
	mustRead(t, server, "x")
	mustWrite(t, server, "y")
	mustRead(t, client, "y")
	require.NoError(t, client.Close())
}
