//go:build !linux

package transport

import "net"

// PeerGone reports whether the kernel knows that the peer of conn has gone. Here it is not asked.
func PeerGone(net.Conn) (gone, ok bool) { return false, false }

// InputWaiting reports whether the kernel has input for whoever reads conn next. Here it is not
// asked.
func InputWaiting(net.Conn) (waiting, ok bool) { return false, false }

// Probe is InputWaiting for one connection, again and again.
type Probe struct{}

// NewProbe returns a Probe of conn.
func NewProbe(net.Conn) *Probe { return new(Probe) }

// InputWaiting reports whether the kernel has input. Here it is not asked.
func (*Probe) InputWaiting() (waiting, ok bool) { return false, false }
