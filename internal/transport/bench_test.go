package transport

import (
	"net"
	"testing"
	"time"
)

// nowhere is a connection that does nothing at no cost, but for its deadlines, which are a socket's.
type nowhere struct{ net.Conn }

func (nowhere) Read(p []byte) (int, error)  { return len(p), nil }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkDeadline is what a rolling deadline costs: one that is moved with each read, as it is done
// with a plain net.Conn, and those of a Conn.
func BenchmarkDeadline(b *testing.B) {
	own, _ := sockets["tcp"](b)
	p := make([]byte, 64)
	c := NewConn(nowhere{own}, Rate{BytesPerSecond: 64, Window: 10 * time.Second})
	b.Run("moved each time", func(b *testing.B) {
		for b.Loop() {
			own.SetReadDeadline(time.Now().Add(time.Minute))
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			c.Read(p, time.Now().Add(time.Minute))
		}
	})
	b.Run("read with the minimum rate", func(b *testing.B) {
		for b.Loop() {
			c.ReadWithin(p, time.Minute)
		}
	})
	b.Run("write with the minimum rate", func(b *testing.B) {
		for b.Loop() {
			c.WriteWithin(p, time.Minute)
		}
	})
}
