package serialserver_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// feed is a connection that gives bursts of requests, as much of one as fits with each Read, and swallows
// the answers.
type feed struct {
	net.Conn
	burst []byte
	at    int // how much of the burst was read
	left  int // bursts
}

func (f *feed) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.burst[f.at:])
	if f.at += n; f.at == len(f.burst) {
		f.at = 0
		f.left--
	}
	return n, nil
}

func (f *feed) Write(p []byte) (int, error)      { return len(p), nil }
func (f *feed) Close() error                     { return nil }
func (f *feed) SetReadDeadline(time.Time) error  { return nil }
func (f *feed) SetWriteDeadline(time.Time) error { return nil }
func (f *feed) RemoteAddr() net.Addr             { return nil }
func (f *feed) LocalAddr() net.Addr              { return nil }

// BenchmarkTask is the task loop without a kernel: messages of 64 bytes, one or many requests with each
// Read.
func BenchmarkTask(b *testing.B) {
	one := request(testTask, string(make([]byte, 64)))
	for _, bench := range []struct {
		name  string
		f     task
		burst int
	}{
		{"empty, alone", empty, 1},
		{"empty, pipelined", empty, 100},
		{"echo, alone", echo, 1},
		{"echo, pipelined", echo, 100},
		{"error, pipelined", fails(coded(7)), 100},
		{"with its context, pipelined", func(c ctx, _ client, _ reader) (io.Reader, error) { c.Done(); return nil, nil }, 100},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var burst []byte
			for range bench.burst {
				burst = append(burst, one...)
			}
			srv := newServer(nil, bench.f)
			b.ReportAllocs()
			conn := &feed{burst: burst, left: b.N/bench.burst + 1}
			if err := srv.HandleConnection(context.Background(), conn, nil); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkMessage is a message of 1 MiB without a kernel: echoed as it comes, and read and thrown away.
func BenchmarkMessage(b *testing.B) {
	const size = 1 << 20
	for name, f := range map[string]task{"echoed": echo, "read": reads(-1)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			conn := &feed{burst: request(testTask, string(make([]byte, size))), left: b.N}
			if err := newServer(nil, f).HandleConnection(context.Background(), conn, nil); err != nil {
				b.Fatal(err)
			}
		})
	}
}
