package serial_test

import (
	"bufio"
	"bytes"
	"io"
	"testing"

	"github.com/serialkit/serialkit/serial"
)

// everyInput calls f with every input of at most n bytes. The slice is valid until f returns.
func everyInput(n int, f func(b []byte)) (inputs int) {
	b := make([]byte, n)
	for size := range n + 1 {
		clear(b)
		for {
			f(b[:size])
			inputs++
			i := size - 1
			for ; i >= 0; i-- {
				if b[i]++; b[i] != 0 {
					break
				}
			}
			if i < 0 {
				break
			}
		}
	}
	return inputs
}

// TestDecoderOnEveryShortInput decodes and skips each input as a whole and byte by byte.
func TestDecoderOnEveryShortInput(t *testing.T) {
	dst, single := make([]byte, exhaustive+1), make([]byte, 1)
	n := everyInput(exhaustive, func(b []byte) {
		want, rest, ended := parse(b)
		var d, s serial.Decoder
		w, c := d.Decode(dst, b)
		if !bytes.Equal(dst[:w], want) || c != len(b)-len(rest) || d.Ended() != ended {
			t.Fatalf("Decode(%x) = %x, %d, ended %v; want %x, %d, %v", b, dst[:w], c, d.Ended(), want, len(b)-len(rest), ended)
		}
		if n, m := s.Skip(b, len(dst)); n != w || m != c || s != d {
			t.Fatalf("Skip(%x) = %d, %d, %+v; Decode: %d, %d, %+v", b, n, m, s, w, c, d)
		}
		var one serial.Decoder
		at := 0
		for i := range b {
			w, c := one.Decode(single, b[i:i+1])
			if w == 1 && (at >= len(want) || single[0] != want[at]) || c == 0 && !one.Ended() {
				t.Fatalf("byte %d of %x: Decode = %x, %d", i, b, single[:w], c)
			}
			at += w
		}
		if one != d || at != len(want) {
			t.Fatalf("%x byte by byte: %+v after %d bytes, want %+v", b, one, at, d)
		}
	})
	t.Logf("%d inputs", n)
}

// TestReaderOnEveryShortInput reads each input to its end, and what follows it.
func TestReaderOnEveryShortInput(t *testing.T) {
	in, src, got := bytes.NewReader(nil), bufio.NewReaderSize(nil, 16), make([]byte, exhaustive+1)
	n := everyInput(exhaustive, func(b []byte) {
		want, rest, ended := parse(b)
		end := io.ErrUnexpectedEOF
		if ended {
			end = io.EOF
		}
		in.Reset(b)
		src.Reset(in)
		var r serial.Reader
		r.Reset(src)
		n := 0
		var err error
		for err == nil {
			var m int
			m, err = r.Read(got[n:])
			n += m
		}
		left := src.Buffered() + in.Len()
		if err != end || !bytes.Equal(got[:n], want) || r.Ended() != ended || ended && left != len(rest) {
			t.Fatalf("Reader of %x: %x, %v, ended %v, %d left; want %x, %v, %d", b, got[:n], err, r.Ended(), left, want, end, len(rest))
		}
	})
	t.Logf("%d inputs", n)
}
