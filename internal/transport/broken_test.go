package transport

import (
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

// timedOut is what connections return that are older than os.ErrDeadlineExceeded.
type timedOut struct{}

func (timedOut) Error() string   { return "i/o deadline reached" }
func (timedOut) Timeout() bool   { return true }
func (timedOut) Temporary() bool { return true }

// impatient is a connection whose operations time out by themselves, again and again.
type impatient struct {
	net.Conn
	after time.Duration
	err   error
}

func (c impatient) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil || n > 0 {
		return n, c.timeout(err)
	}
	return n, err
}

func (c impatient) timeout(err error) error {
	if os.IsTimeout(err) {
		return c.err
	}
	return err
}

// SetReadDeadline sets an earlier one than it is asked for.
func (c impatient) SetReadDeadline(t time.Time) error {
	return c.Conn.SetReadDeadline(earlier(t, time.Now().Add(c.after)))
}

// Whatever error a connection says its timeouts with, and whenever it does, a read ends at the
// deadline that was asked for.
func TestTimeoutsOfTheConnectionsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, err := range []error{os.ErrDeadlineExceeded, timedOut{}, &net.OpError{Op: "read", Err: timedOut{}}} {
			for _, at := range around {
				peer, own := serialtest.Pipe()
				defer peer.Close()
				defer own.Close()
				c := NewConn(impatient{own, limit/10 + 1, err}, Rate{})
				later(at, peer, "x")
				want := result{1, nil, at}
				if at >= limit {
					want = result{0, ErrTimeout, limit}
				}
				require.Equal(t, want, now(func() (int, error) { return c.ReadWithin(make([]byte, 9), limit) }), err)
			}
		}
	})
}

// A kernel that gives a peer up says "connection timed out". That is no deadline: the connection
// has failed.
func TestErrnoIsNoDeadline(t *testing.T) {
	failed := &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ETIMEDOUT)}
	require.True(t, failed.Timeout())
	fails := func([]byte) (int, error) { return 0, failed }
	c := NewConn(&fake{read: fails, write: fails}, Rate{})
	_, err := c.ReadWithin(make([]byte, 1), time.Hour)
	require.Equal(t, error(failed), err)
	_, err = c.WriteWithin(make([]byte, 1), time.Hour)
	require.Equal(t, error(failed), err)
}

// A connection that is broken is given up, not tried for ever.
func TestConnectionThatMakesNoProgress(t *testing.T) {
	for name, err := range map[string]error{"(0, nil)": nil, "timeout": os.ErrDeadlineExceeded} {
		for _, idle := range []int{0, 1, attempts - 1, attempts} {
			calls := 0
			read := func(p []byte) (int, error) {
				if calls++; calls <= idle {
					return 0, err
				}
				return 1, nil
			}
			want := result{n: 1}
			if idle == attempts {
				want = result{err: io.ErrNoProgress}
			}
			c := NewConn(&fake{read: read}, Rate{})
			n, got := c.ReadWithin(make([]byte, 1), time.Hour)
			require.Equal(t, want, result{n: n, err: got}, "%s %d times", name, idle)
			require.Equal(t, min(idle+1, attempts), calls)
		}
	}
}

// Each byte that moves shows that a write is not stuck.
func TestWriteThatIsOftenInterrupted(t *testing.T) {
	for _, idle := range []int{0, 1, attempts - 2, attempts - 1, attempts} {
		calls := 0
		write := func(p []byte) (int, error) {
			calls++
			switch {
			case calls%(idle+1) != 0:
				return 0, os.ErrDeadlineExceeded
			case len(p) == 1:
				return 1, nil
			}
			return 1, os.ErrDeadlineExceeded
		}
		c := NewConn(&fake{write: write}, Rate{})
		n, err := c.WriteWithin(pattern(5), time.Hour)
		if idle == attempts {
			require.Equal(t, io.ErrNoProgress, err)
			require.Zero(t, n)
			continue
		}
		require.NoError(t, err, "%d idle", idle)
		require.Equal(t, 5, n)
	}
}

// A Write that returns less than it was given without an error breaks the contract of io.Writer.
func TestShortWrite(t *testing.T) {
	for _, taken := range []int{0, 3} {
		c := NewConn(&fake{write: func(p []byte) (int, error) { return taken, nil }}, Rate{})
		n, err := c.WriteWithin(pattern(5), time.Hour)
		require.Equal(t, io.ErrShortWrite, err)
		require.Equal(t, taken, n)
	}
}

// An error that comes with bytes waits until they have been read.
func TestErrorThatComesWithBytes(t *testing.T) {
	c := NewConn(&fake{
		read:  func(p []byte) (int, error) { return copy(p, "end"), io.EOF },
		write: func(p []byte) (int, error) { return len(p), io.EOF },
	}, Rate{})
	n, err := c.ReadWithin(make([]byte, 9), time.Hour)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	n, err = c.WriteWithin(pattern(5), time.Hour)
	require.NoError(t, err)
	require.Equal(t, 5, n)
}
