package serial_test

import (
	"bufio"
	"io"
	"testing"

	"github.com/serialkit/serialkit/serial"
)

// inMemory is a Source that has a whole stream in its buffer.
type inMemory []byte

func (s *inMemory) Peek(n int) ([]byte, error) { return (*s)[:n], nil }
func (s *inMemory) Discard(n int) (int, error) { *s = (*s)[n:]; return n, nil }
func (s *inMemory) Buffered() int              { return len(*s) }

// BenchmarkStream encodes and decodes messages in place, beside what copying them takes. Skip only
// hops from header to header.
func BenchmarkStream(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"64B", 64}, {"4KiB", 4 << 10}, {"1MiB", 1 << 20}} {
		m, dst := message(size.n), make([]byte, size.n)
		stream := serial.AppendStream(nil, m)
		run := func(name string, f func(b *testing.B)) {
			b.Run(name+"/"+size.name, func(b *testing.B) {
				b.SetBytes(int64(size.n))
				b.ReportAllocs()
				f(b)
			})
		}
		run("memcpy", func(b *testing.B) {
			for b.Loop() {
				copy(dst, m)
			}
		})
		run("encode", func(b *testing.B) {
			var w serial.Writer
			sink := bufio.NewWriterSize(io.Discard, 64<<10)
			for b.Loop() {
				w.Reset(sink)
				w.Write(m)
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
		run("decode", func(b *testing.B) {
			var r serial.Reader
			src := new(inMemory)
			for b.Loop() {
				*src = stream
				r.Reset(src)
				if n, err := io.ReadFull(&r, dst); err != nil {
					b.Fatal(n, err)
				}
			}
		})
		run("skip", func(b *testing.B) {
			for b.Loop() {
				var d serial.Decoder
				if n, _ := d.Skip(stream, len(stream)); n != size.n {
					b.Fatal(n)
				}
			}
		})
	}
}
