package transport

import (
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

// reset closes a TCP connection, or what is below a TLS one, with a reset.
func reset(t *testing.T, peer net.Conn) {
	t.Helper()
	if layer, ok := peer.(interface{ NetConn() net.Conn }); ok {
		peer = layer.NetConn()
	}
	require.NoError(t, peer.(*net.TCPConn).SetLinger(0))
	require.NoError(t, peer.Close())
}

// await blocks until the kernel has one of the events for conn: on loopback that may be a moment
// after the peer's call.
func await(t *testing.T, conn net.Conn, events uint32) {
	t.Helper()
	raw, ok := rawConn(conn)
	require.True(t, ok)
	ep, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	require.NoError(t, err)
	defer syscall.Close(ep)
	want := syscall.EpollEvent{Events: events}
	require.NoError(t, raw.Control(func(fd uintptr) {
		err = syscall.EpollCtl(ep, syscall.EPOLL_CTL_ADD, int(fd), &want)
	}))
	require.NoError(t, err)
	for n := 0; n == 0; {
		n, err = syscall.EpollWait(ep, make([]syscall.EpollEvent, 1), -1)
		if err != syscall.EINTR {
			require.NoError(t, err)
		}
	}
}

// requireGone requires that conn's peer is known to have gone once the kernel knows.
func requireGone(t *testing.T, conn net.Conn) {
	t.Helper()
	await(t, conn, syscall.EPOLLRDHUP)
	gone, ok := PeerGone(conn)
	require.True(t, ok)
	require.True(t, gone)
}

// requireThere requires that conn's peer is not known to have gone. Of TLS the kernel does not know all.
func requireThere(t *testing.T, conn net.Conn) {
	t.Helper()
	gone, ok := PeerGone(conn)
	_, isSocket := conn.(syscall.Conn)
	require.Equal(t, isSocket, ok)
	require.False(t, gone)
}

func TestPeerGone(t *testing.T) {
	for name, pair := range sockets {
		t.Run(name, func(t *testing.T) {
			own, peer := pair(t)
			requireThere(t, own)
			mustWrite(t, peer, "hello")
			requireThere(t, own)
			own.(halfCloser).CloseWrite()
			requireThere(t, own)
			peer.Close()
			requireGone(t, own)
			requireGone(t, own)
		})
	}
}

func TestPeerGoneAfterAHalfClose(t *testing.T) {
	for name, pair := range sockets {
		t.Run(name, func(t *testing.T) {
			own, peer := pair(t)
			require.NoError(t, closeWrite(peer))
			requireGone(t, own)
		})
	}
}

func TestPeerGoneAfterAReset(t *testing.T) {
	for _, name := range []string{"tcp", "tls"} {
		t.Run(name, func(t *testing.T) {
			own, peer := sockets[name](t)
			reset(t, peer)
			requireGone(t, own)
			requireGone(t, own)
		})
	}
}

// fill makes peer send as much as the kernel takes while nobody reads, and returns how much that is.
func fill(t *testing.T, peer net.Conn) int {
	t.Helper()
	n, err := NewConn(peer, Rate{}).WriteWithin(pattern(1<<24), limit/10)
	require.Equal(t, ErrTimeout, err)
	return n
}

// The end is known behind unread input, of which the look takes nothing.
func TestPeerGoneBehindInput(t *testing.T) {
	for name, pair := range sockets {
		t.Run(name, func(t *testing.T) {
			own, peer := pair(t)
			sent := pattern(32 << 10)
			mustWrite(t, peer, string(sent))
			require.NoError(t, closeWrite(peer))
			requireGone(t, own)
			got, err := io.ReadAll(own)
			require.NoError(t, err)
			require.Equal(t, sent, got)
		})
	}
}

// A unix socket tells of its end, and TCP of a reset, behind any amount of input.
func TestPeerGoneBehindAFullBuffer(t *testing.T) {
	own, peer := unixPair(t)
	fill(t, peer)
	require.NoError(t, peer.Close())
	requireGone(t, own)

	own, peer = tcpPair(t)
	fill(t, peer)
	requireThere(t, own)
	reset(t, peer)
	requireGone(t, own)
}

// A FIN waits in its sender's kernel while the buffer of its receiver is full.
func TestEndThatTheKernelDoesNotKnow(t *testing.T) {
	own, peer := tcpPair(t)
	size := fill(t, peer)
	require.NoError(t, closeWrite(peer))
	requireThere(t, own)
	got, err := io.ReadAll(own)
	require.NoError(t, err)
	require.Len(t, got, size)
	requireGone(t, own)
}

func TestPeerGoneOfWhatIsNoSocket(t *testing.T) {
	peer, own := serialtest.Pipe()
	defer peer.Close()
	defer own.Close()
	for _, conn := range []net.Conn{own, layered{below: own}, layered{}, stepped{own}, nil} {
		gone, ok := PeerGone(conn)
		require.False(t, gone)
		require.False(t, ok)
	}
}

func TestPeerGoneAfterTheOwnClose(t *testing.T) {
	for name, pair := range sockets {
		t.Run(name, func(t *testing.T) {
			own, _ := pair(t)
			require.NoError(t, own.Close())
			gone, ok := PeerGone(own)
			require.False(t, gone)
			require.False(t, ok)
		})
	}
}

// A look opens a descriptor and closes it.
func TestPeerGoneLeavesNoDescriptor(t *testing.T) {
	own, peer := tcpPair(t)
	before := descriptors(t)
	for i := range 1000 {
		if i == 500 {
			peer.(*net.TCPConn).CloseWrite()
			requireGone(t, own)
		}
		_, ok := PeerGone(own)
		require.True(t, ok)
		_, ok = InputWaiting(own)
		require.True(t, ok)
	}
	require.Equal(t, before, descriptors(t))
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(open)
}

// The look does not disturb a read that is blocked.
func TestPeerGoneBesideARead(t *testing.T) {
	for name, pair := range sockets {
		t.Run(name, func(t *testing.T) {
			own, peer := pair(t)
			done := run(func() (int, error) { return own.Read(make([]byte, 9)) })
			for range 100 {
				requireThere(t, own)
			}
			mustWrite(t, peer, "hello")
			require.Equal(t, 5, (<-done).n)
		})
	}
}

func TestInputWaiting(t *testing.T) {
	for _, name := range []string{"tcp", "unix"} {
		for what, do := range map[string]func(own, peer net.Conn){
			"nothing":   nil,
			"data":      func(_, peer net.Conn) { peer.Write([]byte("x")) },
			"end":       func(_, peer net.Conn) { peer.Close() },
			"half end":  func(_, peer net.Conn) { peer.(halfCloser).CloseWrite() },
			"own close": func(own, _ net.Conn) { own.Close() },
			"reset": func(_, peer net.Conn) {
				if tcp, ok := peer.(*net.TCPConn); ok {
					tcp.SetLinger(0)
				}
				peer.Close()
			},
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				own, peer := sockets[name](t)
				if do != nil {
					do(own, peer)
				}
				if do != nil && what != "own close" {
					await(t, own, syscall.EPOLLIN|syscall.EPOLLRDHUP)
				}
				waiting, ok := InputWaiting(own)
				require.True(t, ok)
				require.Equal(t, do != nil, waiting)
			})
		}
	}
}

// The look takes nothing.
func TestInputWaitingLeavesTheInput(t *testing.T) {
	for _, name := range []string{"tcp", "unix"} {
		own, peer := sockets[name](t)
		mustWrite(t, peer, "hello")
		mustRead(t, own, "h")
		for range 3 {
			waiting, ok := InputWaiting(own)
			require.True(t, ok)
			require.True(t, waiting)
		}
		mustRead(t, own, "ello")
		waiting, _ := InputWaiting(own)
		require.False(t, waiting)
	}
}

// fileConn is a connection over a descriptor that is no socket's.
type fileConn struct {
	net.Conn
	*os.File
}

func (c fileConn) Read(p []byte) (int, error)         { return c.File.Read(p) }
func (c fileConn) Write(p []byte) (int, error)        { return c.File.Write(p) }
func (c fileConn) Close() error                       { return c.File.Close() }
func (c fileConn) SetDeadline(t time.Time) error      { return c.File.SetDeadline(t) }
func (c fileConn) SetReadDeadline(t time.Time) error  { return c.File.SetReadDeadline(t) }
func (c fileConn) SetWriteDeadline(t time.Time) error { return c.File.SetWriteDeadline(t) }

// Behind TLS, and where there is no socket, only a read can tell.
func TestInputWaitingOfWhatIsNoSocket(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	tls, _ := tlsPair(t)
	peer, own := serialtest.Pipe()
	defer peer.Close()
	defer own.Close()
	for _, conn := range []net.Conn{tls, own, fileConn{File: r}} {
		waiting, ok := InputWaiting(conn)
		require.False(t, ok)
		require.False(t, waiting)
	}
}

// A layer that says that it is above itself is looked through for a while.
func TestLayerAboveItself(t *testing.T) {
	gone, ok := PeerGone(ouroboros{})
	require.False(t, gone || ok)
	require.NoError(t, closeWrite(ouroboros{}))
}

type ouroboros struct{ net.Conn }

func (o ouroboros) NetConn() net.Conn { return o }
func (ouroboros) CloseWrite() error   { return nil }
