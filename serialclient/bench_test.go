package serialclient_test

import (
	"net"
	"testing"

	"github.com/serialkit/serialkit/serialclient"
)

// benchRequest and benchResponse are 32 bytes on the wire, each way.
var (
	benchRequest  = make([]byte, 29)
	benchResponse = okResponse(string(benchRequest))
)

// benchServer answers as many requests as it has read, in one write.
func benchServer(conn net.Conn) {
	defer conn.Close()
	in := make([]byte, 64<<10)
	out := make([]byte, 0, 64<<10)
	for rest := 0; ; {
		n, err := conn.Read(in)
		if err != nil {
			return
		}
		rest += n
		out = out[:0]
		for ; rest >= 32; rest -= 32 {
			out = append(out, benchResponse...)
		}
		conn.Write(out)
	}
}

func benchClient(b *testing.B) *serialclient.Client {
	conn, other := tcpPair(b)
	go benchServer(other)
	c := serialclient.New(conn, nil)
	b.Cleanup(func() { c.Close() })
	return c
}

func BenchmarkCall(b *testing.B) {
	c := benchClient(b)
	dst := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.AppendCall(background, dst, 1, benchRequest); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPipeline(b *testing.B) {
	for name, window := range map[string]int{"window of 8": 8, "window of 64": 64, "window of 512": 512} {
		b.Run(name, func(b *testing.B) { benchPipeline(b, window) })
	}
}

func benchPipeline(b *testing.B, window int) {
	c := benchClient(b)
	p, err := c.Pipeline(background)
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, 0, 64)
	b.ReportAllocs()
	inFlight := 0
	for b.Loop() {
		if inFlight == window {
			if _, err := p.Receive(dst); err != nil {
				b.Fatal(err)
			}
			inFlight--
		}
		if err := p.Send(1, benchRequest); err != nil {
			b.Fatal(err)
		}
		inFlight++
	}
	if err := p.Close(); err != nil {
		b.Fatal(err)
	}
}
