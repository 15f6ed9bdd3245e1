package transport

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

// closing starts CloseLingering.
func closing(c *Conn) <-chan result { return run(only(c.CloseLingering)) }

// halfClosed makes a fake or a layered connection one that can be half-closed.
type halfClosed struct {
	net.Conn
	closeWrite func() error
}

func (h halfClosed) CloseWrite() error { return h.closeWrite() }

// lingering returns a Conn that can be half-closed, behind each layer, and its peer.
func lingering(t *testing.T, layer func(net.Conn) net.Conn, opts ...serialtest.Option) (*Conn, net.Conn) {
	t.Helper()
	peer, own := serialtest.Pipe(opts...)
	t.Cleanup(func() {
		own.Close()
		peer.Close()
	})
	half := own.(interface{ CloseWrite() error })
	return NewConn(halfClosed{layer(own), half.CloseWrite}, Rate{}), peer
}

// The peer sees the end first, and the close waits until it closes too.
func TestLingeringCloseWaitsForThePeer(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for _, at := range []time.Duration{1, LingerQuiet - 1, LingerQuiet} {
			c, peer := lingering(t, layer)
			require.True(t, c.CanHalfClose())
			mustWrite(t, peer, "unread")
			mustWrite(t, c.NetConn(), "last words")
			done := closing(c)
			time.AfterFunc(at, func() { peer.Close() })
			pending(t, done)
			mustRead(t, peer, "last words")
			mustEnd(t, peer)
			require.Equal(t, result{0, nil, at}, <-done)
		}
	})
}

// mustEnd requires that peer reads io.EOF now.
func mustEnd(t *testing.T, peer net.Conn) {
	t.Helper()
	require.Equal(t, result{0, io.EOF, 0}, now(func() (int, error) {
		n, err := peer.Read(make([]byte, 1))
		return n, err
	}))
}

// A peer that sends nothing is closed on after LingerQuiet, one that sends now and then after
// LingerTime.
func TestLingeringCloseIsBoundedInTime(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for every, want := range map[time.Duration]time.Duration{
			LingerQuiet - 1: LingerTime,
			LingerQuiet:     LingerQuiet,
			LingerQuiet + 1: LingerQuiet,
			LingerTime / 20: LingerTime,
			0:               LingerQuiet,
		} {
			c, peer := lingering(t, layer)
			for at := every; at > 0 && at <= 2*LingerTime; at += every {
				later(at, peer, "x")
			}
			require.Equal(t, result{0, nil, want}, <-closing(c), "a byte each %v", every)
			wait(2 * LingerTime)
		}
	})
}

// A peer that closes one nanosecond before the end of LingerTime is in time.
func TestLingeringCloseAtItsEnd(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for _, at := range []time.Duration{LingerTime - 1, LingerTime, LingerTime + 1} {
			c, peer := lingering(t, layer)
			for sent := LingerTime / 20; sent < LingerTime; sent += LingerTime / 20 {
				later(sent, peer, "x")
			}
			time.AfterFunc(at, func() { peer.Close() })
			require.Equal(t, result{0, nil, min(at, LingerTime)}, <-closing(c))
			wait(LingerTime)
		}
	})
}

// A peer that sends more than LingerBytes is closed on.
func TestLingeringCloseIsBoundedInBytes(t *testing.T) {
	for _, size := range []int{LingerBytes - 1, LingerBytes, LingerBytes + 1} {
		synctest.Test(t, func(t *testing.T) {
			c, peer := lingering(t, layers["plain"])
			sent := run(func() (int, error) { return peer.Write(make([]byte, size)) })
			done := closing(c)
			if size < LingerBytes {
				require.Equal(t, result{0, nil, LingerQuiet}, <-done, "there may be more")
			} else {
				require.Equal(t, result{0, nil, 0}, <-done)
			}
			require.GreaterOrEqual(t, (<-sent).n, min(size, LingerBytes))
		})
	}
}

// A connection that cannot be half-closed, or not any more, is closed at once.
func TestLingeringCloseWithoutHalfClose(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		c, peer := pipe(t, layer, serialtest.NoHalfClose())
		require.False(t, c.CanHalfClose())
		mustWrite(t, c.NetConn(), "last words")
		require.Equal(t, result{}, <-closing(c))
		mustRead(t, peer, "last words")
		mustEnd(t, peer)

		c, _ = lingering(t, layer)
		c.Close()
		r := <-closing(c)
		require.ErrorIs(t, r.err, net.ErrClosed)
		require.Zero(t, r.after)
	})
}

// What was left behind by reads and writes before does not hurry or delay the close.
func TestLingeringCloseAfterDeadlines(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for name, history := range histories {
			c, peer := lingering(t, layer)
			history(c, peer)
			require.Equal(t, result{0, nil, LingerQuiet}, <-closing(c), name)
		}
	})
}

// A read-ahead does not take part in the close, and none begins: it would take the bytes that show
// that the peer is still there, and the deadline with them.
func TestLingeringCloseEndsTheReadAhead(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for _, lookAt := range []time.Duration{0, 1, LingerQuiet / 2, LingerQuiet} {
			c, peer := lingering(t, layer)
			in := NewInput(c)
			in.ReadAhead(nobodyGone)
			synctest.Wait()
			if lookAt == 0 {
				in.ReadAhead(nobodyGone)
			} else {
				time.AfterFunc(lookAt, func() { in.ReadAhead(nobodyGone) })
			}
			later(LingerQuiet-1, peer, "x")
			require.Equal(t, result{0, nil, 2*LingerQuiet - 1}, <-closing(c), "looked at %v", lookAt)
			in.Join()
		}
		c, _ := lingering(t, layer)
		in := NewInput(c)
		time.AfterFunc(1, func() { in.ReadAhead(nobodyGone) })
		require.Equal(t, result{0, nil, LingerQuiet}, <-closing(c))
		in.Join()
	})
}

// layered is a layer over another connection, as tls.Conn is.
type layered struct {
	halfClosed
	below net.Conn
}

func (l layered) NetConn() net.Conn { return l.below }

// Every layer is half-closed, from the top. Only the top has to know how.
func TestHalfCloseThroughTheLayers(t *testing.T) {
	var order []string
	half := func(name string, err error) halfClosed {
		return halfClosed{&fake{}, func() error { order = append(order, name); return err }}
	}
	failed := errors.New("failed")

	bottom := half("bottom", nil)
	require.NoError(t, closeWrite(layered{half("top", nil), layered{half("middle", nil), bottom}}))
	require.Equal(t, []string{"top", "middle", "bottom"}, order)

	order = nil
	require.NoError(t, closeWrite(layered{half("top", nil), &fake{}}))
	require.NoError(t, closeWrite(layered{half("top", nil), half("bottom", failed)}), "it may have been closed by the top")
	require.Equal(t, []string{"top", "top", "bottom"}, order)

	order = nil
	require.Equal(t, failed, closeWrite(layered{half("top", failed), bottom}))
	require.Equal(t, []string{"top"}, order, "what the top has still to say must get through")
	require.ErrorIs(t, closeWrite(&fake{}), net.ErrClosed)
}
