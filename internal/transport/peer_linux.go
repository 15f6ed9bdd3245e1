package transport

import (
	"net"
	"syscall"
)

// PeerGone reports whether the kernel knows that the peer of conn has closed or reset the
// connection, even behind unread input. ok is false where it cannot be asked, or does not know all: a
// layer above the socket has ends of its own, such as the close_notify of TLS.
func PeerGone(conn net.Conn) (gone, ok bool) {
	sc, ok := rawConn(conn)
	if !ok {
		return false, false
	}
	err := sc.Control(func(fd uintptr) { gone, ok = hungUp(int(fd)) })
	_, isSocket := conn.(syscall.Conn)
	return gone && err == nil, ok && err == nil && (gone || isSocket)
}

// hungUp asks epoll, which knows of a half-close behind unread data, for TCP and unix sockets alike.
func hungUp(fd int) (gone, ok bool) {
	ep, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return false, false
	}
	defer syscall.Close(ep)
	want := syscall.EpollEvent{Events: syscall.EPOLLRDHUP}
	if err := syscall.EpollCtl(ep, syscall.EPOLL_CTL_ADD, fd, &want); err != nil {
		return false, false
	}
	var got [1]syscall.EpollEvent
	n, err := syscall.EpollWait(ep, got[:], 0)
	return n > 0, err == nil
}

// InputWaiting reports whether the kernel has input, an end or an error for whoever reads conn
// next. ok is false where it cannot be asked.
func InputWaiting(conn net.Conn) (waiting, ok bool) { return NewProbe(conn).InputWaiting() }

// rawConn returns the descriptor of conn or of a layer below it.
func rawConn(conn net.Conn) (syscall.RawConn, bool) {
	for range layersDeep {
		if conn == nil {
			break
		}
		if sc, ok := conn.(syscall.Conn); ok {
			raw, err := sc.SyscallConn()
			return raw, err == nil
		}
		layer, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = layer.NetConn()
	}
	return nil, false
}
