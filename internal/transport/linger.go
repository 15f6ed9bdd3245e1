package transport

import (
	"net"
	"time"
)

// The bounds of a lingering close (docs/protocol.md, "Closing without loss").
const (
	// LingerQuiet is how long the peer may send nothing before it is closed on.
	LingerQuiet = 500 * time.Millisecond
	// LingerTime is how long a peer that goes on sending is listened to.
	LingerTime = 5 * time.Second
	// LingerBytes is how much it may send in that time: 16 MiB.
	LingerBytes = 16 << 20
)

// halfCloser is a connection whose write side can be closed alone.
type halfCloser interface{ CloseWrite() error }

// CanHalfClose reports whether the peer can be told that nothing more comes while it is still
// listened to.
func (c *Conn) CanHalfClose() bool {
	_, ok := c.conn.(halfCloser)
	return ok
}

// layersDeep is how many layers are looked through for the socket.
const layersDeep = 8

// closeWrite half-closes conn and then the layers below it, as far as they can be: TLS says
// close_notify, and then TCP FIN. The error is that of conn itself.
func closeWrite(conn net.Conn) error {
	for i := range layersDeep {
		hc, ok := conn.(halfCloser)
		if !ok && i == 0 {
			return net.ErrClosed
		}
		if !ok {
			break
		}
		if err := hc.CloseWrite(); err != nil && i == 0 {
			return err
		}
		layer, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = layer.NetConn()
	}
	return nil
}

// CloseLingering closes the connection without destroying what was written last. A plain close
// with input unread resets the connection, and the kernel then drops what it has not delivered.
// So the write side is closed first, and input is read and discarded until the peer closes too,
// within LingerQuiet, LingerTime and LingerBytes. The caller has flushed and owns both halves; a
// read-ahead is ended, and none begins any more.
func (c *Conn) CloseLingering() error {
	if closeWrite(c.conn) == nil {
		if c.input != nil {
			c.input.endAhead()
		}
		c.discard()
	}
	return c.Close()
}

// discard reads until the end, or until one of the bounds.
func (c *Conn) discard() {
	var tiny [64]byte // all that most of those who are told Goodbye cost
	buf := tiny[:]
	defer func() {
		if len(buf) > len(tiny) {
			Release(buf)
		}
	}()
	end := time.Now().Add(LingerTime)
	for left := LingerBytes; left > 0; {
		n, err := c.Read(buf[:min(left, len(buf))], earlier(end, time.Now().Add(LingerQuiet)))
		if err != nil || !time.Now().Before(end) {
			return
		}
		if len(buf) == len(tiny) {
			buf = Scratch()
		}
		left -= n
	}
}
