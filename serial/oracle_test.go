package serial_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/serialkit/serialkit/serial"
)

// parse is the naive oracle: what a stream means that is all there. rest is what follows its end;
// a stream that is cut has not ended.
func parse(stream []byte) (message, rest []byte, ended bool) { return appendParsed(nil, stream) }

// appendParsed is parse with the message appended to dst.
func appendParsed(dst, stream []byte) (message, rest []byte, ended bool) {
	for message = dst; len(stream) > 0; {
		n, body := int(stream[0]), stream[1:]
		if n == 0 {
			return message, body, true
		}
		if n > len(body) {
			return append(message, body...), nil, false
		}
		message, stream = append(message, body[:n]...), body[n:]
	}
	return message, nil, false
}

// appendPieces cuts b into pieces of the sizes in cuts, and what remains.
func appendPieces(all [][]byte, b, cuts []byte) [][]byte {
	for _, n := range cuts {
		k := min(int(n), len(b))
		all, b = append(all, b[:k]), b[k:]
	}
	return append(all, b)
}

// scratch is the memory of checks that are made often.
type scratch struct {
	want, got, dst, wire []byte
	pieces               [][]byte
}

// room returns n bytes, valid until the next call.
func (s *scratch) room(n int) []byte {
	if cap(s.dst) < n {
		s.dst = make([]byte, n)
	}
	return s.dst[:n]
}

// decode gives a Decoder the pieces of a stream one after the other, and a destination of size
// bytes as often as it takes. It fails where the Decoder stops without a reason.
func (s *scratch) decode(t testing.TB, pieces [][]byte, size int) (message []byte, consumed int, ended bool) {
	var d serial.Decoder
	dst := s.room(size)
	message = s.got[:0]
	for _, src := range pieces {
		for len(src) > 0 && !d.Ended() {
			w, c := d.Decode(dst, src)
			if w < size && c < len(src) && !d.Ended() {
				t.Fatalf("Decode(%d bytes, %x) = %d, %d before the end", size, src, w, c)
			}
			message, src, consumed = append(message, dst[:w]...), src[c:], consumed+c
		}
		if w, c := d.Decode(dst, src); w != 0 || c != 0 {
			t.Fatalf("Decode(%d bytes, %x) = %d, %d after the piece or the end", size, src, w, c)
		}
	}
	s.got = message
	return message, consumed, d.Ended()
}

func checkDecode(t testing.TB, stream []byte, pieces [][]byte, size int) {
	new(scratch).checkDecode(t, stream, pieces, size)
}

// checkDecode compares decode with the oracle. It returns what the oracle said behind the message.
func (s *scratch) checkDecode(t testing.TB, stream []byte, pieces [][]byte, size int) (rest []byte, ended bool) {
	want, rest, wantEnded := appendParsed(s.want[:0], stream)
	s.want = want
	got, consumed, ended := s.decode(t, pieces, size)
	if !bytes.Equal(got, want) || consumed != len(stream)-len(rest) || ended != wantEnded {
		t.Fatalf("%x in pieces %x to %d bytes: got %x, consumed %d, ended %v; want %x, %d, %v",
			stream, pieces, size, got, consumed, ended, want, len(stream)-len(rest), wantEnded)
	}
	return rest, ended
}

func checkSkip(t testing.TB, pieces [][]byte, limit int) { new(scratch).checkSkip(t, pieces, limit) }

// checkSkip compares Skip with Decode to as many bytes, call for call.
func (s *scratch) checkSkip(t testing.TB, pieces [][]byte, limit int) {
	var d, skip serial.Decoder
	dst := s.room(limit)
	for _, src := range pieces {
		for c := 1; c > 0; src = src[c:] {
			var w, n, m int
			w, c = d.Decode(dst, src)
			n, m = skip.Skip(src, limit)
			if n != w || m != c || skip != d {
				t.Fatalf("Skip(%x, %d) = %d, %d, then %+v; Decode: %d, %d, %+v", src, limit, n, m, skip, w, c, d)
			}
		}
	}
}

// pieceReader gives each piece to one Read, or to several if it does not fit.
type pieceReader struct {
	pieces [][]byte
	reads  int
}

func (r *pieceReader) Read(p []byte) (int, error) {
	r.reads++
	for len(r.pieces) > 0 && len(r.pieces[0]) == 0 {
		r.pieces = r.pieces[1:]
	}
	if len(r.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.pieces[0])
	r.pieces[0] = r.pieces[0][n:]
	return n, nil
}
