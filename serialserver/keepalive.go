package serialserver

import (
	"net"
	"time"
)

// DefaultKeepAlive is how long the host of a TCP client may be silent to the kernel: far above what a network
// that works loses, and soon enough to give the place of a client that was switched off to another one.
const DefaultKeepAlive = time.Minute

// WithKeepAlive sets after how long a TCP connection fails whose other host does not answer the kernel any more,
// because it, or the network, is gone: 0 means DefaultKeepAlive; negative: connections stay as they come. An idle
// connection is probed (keepalive, from half that time on), and on Linux what was sent and is not acknowledged
// for that time ends it too (the user timeout, RFC 5482), or for Timeout.Write if that is longer, or not at
// all if there is none. A client that is merely idle notices nothing.
//
// It holds for *net.TCPConn, and for layers on one that have the method NetConn, as *tls.Conn has.
func WithKeepAlive(d time.Duration) Option {
	return func(s *Server) {
		if d == 0 {
			d = DefaultKeepAlive
		}
		s.keepAlive = d
	}
}

// keepAliveProbes is how many probes are sent in the second half of the time.
const keepAliveProbes = 3

// keep makes the kernel look after a connection.
func (s *Server) keep(conn net.Conn) {
	tcp, ok := tcpOf(conn)
	if !ok || s.keepAlive < 0 {
		return
	}
	tcp.SetKeepAliveConfig(net.KeepAliveConfig{
		Enable:   true,
		Idle:     s.keepAlive / 2,
		Interval: s.keepAlive / 2 / keepAliveProbes,
		Count:    keepAliveProbes,
	})
	if s.timeout.Write >= 0 {
		setUserTimeout(tcp, max(s.keepAlive, s.timeout.Write))
	}
}

// tcpOf returns the TCP connection below conn.
func tcpOf(conn net.Conn) (*net.TCPConn, bool) {
	for range maxLayers {
		switch layer := conn.(type) {
		case *net.TCPConn:
			return layer, layer != nil
		case interface{ NetConn() net.Conn }:
			conn = layer.NetConn()
		default:
			return nil, false
		}
	}
	return nil, false
}

// maxLayers is how many layers are looked through: some would return themselves.
const maxLayers = 10
