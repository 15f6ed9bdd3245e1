package serial_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/internal/inputs"
	"github.com/serialkit/serialkit/serial"
)

// bound is the most that may be allocated where n bytes have come or gone and b bytes of buffers
// were asked for: what append wastes as the test collects n bytes, and the pages that the runtime counts late.
// What a stream claims is no part of it.
func bound(n, b int) int { return 6*n + 2*b + 128<<10 }

// seeds are streams for both decoders.
var seeds = append(short, "", "ff", "ff ff ff ff", "01 ff 01 ff 00 00")

// FuzzDecoder decodes and skips a stream in any pieces.
func FuzzDecoder(f *testing.F) {
	for _, in := range decoderSeeds(f) {
		f.Add(in[0], in[1], in[2][0])
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte, size uint8) {
		s := new(scratch)
		got := allocated(func() { s.checkDecoder(t, stream, cuts, int(size)) })
		require.LessOrEqual(t, got, decoderBound(len(stream), len(cuts)))
	})
}

// decoderSeeds are streams, cuts and a size for checkDecoder.
func decoderSeeds(t testing.TB) (all []inputs.Input) {
	for i, s := range seeds {
		all = append(all, inputs.Input{unhex(t, s), {1, byte(i), 0, 2}, {byte(i)}})
	}
	return append(all,
		inputs.Input{append(serial.AppendStream(nil, message(600)), 1, 0), {255, 1, 1, 255}, {7}},
		inputs.Input{bytes.Repeat([]byte{1, 7}, 4096), {}, {100}}) // many headers
}

// decoderBound is the most that checkDecoder may allocate: the oracle's message, too, and the slices of the pieces.
func decoderBound(stream, cuts int) int { return bound(2*stream+32*cuts, 256) }

// checkDecoder cuts a stream into pieces, decodes it to size+1 bytes at a time, and skips it by size.
func (s *scratch) checkDecoder(t testing.TB, stream, cuts []byte, size int) (rest []byte, ended bool) {
	s.pieces = appendPieces(s.pieces[:0], stream, cuts)
	rest, ended = s.checkDecode(t, stream, s.pieces, size+1)
	s.checkSkip(t, s.pieces, size)
	return rest, ended
}

// FuzzReader reads and discards a stream that comes in any pieces, over a buffer of any size. An
// odd operation discards.
func FuzzReader(f *testing.F) {
	for _, in := range readerSeeds(f) {
		f.Add(in[0], in[1], in[2], uint16(in[3][0])<<8|uint16(in[3][1]))
	}
	f.Fuzz(func(t *testing.T, stream, cuts, ops []byte, buffer uint16) {
		s, src := new(scratch), bufio.NewReaderSize(nil, int(buffer))
		got := allocated(func() { s.checkReader(t, stream, cuts, ops, src) })
		require.LessOrEqual(t, got, readerBound(len(stream), len(cuts), len(ops)))
	})
}

// readerSeeds are streams, cuts, operations and the size of a buffer in two bytes for checkReader.
func readerSeeds(t testing.TB) (all []inputs.Input) {
	for i, s := range seeds {
		all = append(all, inputs.Input{unhex(t, s), {1, byte(i), 0, 2}, {2, 0, 5, 1, byte(i)}, {0, byte(i)}})
	}
	return append(all,
		inputs.Input{append(serial.AppendStream(nil, message(600)), 1, 0), {255, 1, 1, 255}, {254, 255, 2, 3}, {16, 0}},
		inputs.Input{bytes.Repeat([]byte{1, 7}, 4096), {}, {100}, {0, 16}})
}

func readerBound(stream, cuts, ops int) int { return bound(2*stream+32*cuts+256*ops, 0) }

// checkReader reads or discards a stream in pieces as ops say, and what follows it out of the buffer.
func (s *scratch) checkReader(t testing.TB, stream, cuts, ops []byte, src *bufio.Reader) (rest []byte, ended bool) {
	want, rest, ended := appendParsed(s.want[:0], stream)
	s.want = want
	s.pieces = appendPieces(s.pieces[:0], stream, cuts)
	in := &pieceReader{pieces: s.pieces}
	src.Reset(in)
	var r serial.Reader
	r.Reset(src)
	s.readAll(t, &r, want, ended, ops)
	if !ended {
		s.checkSticks(t, &r, in)
		return rest, ended
	}
	if left := s.rest(t, src); !bytes.Equal(rest, left) {
		t.Fatalf("after the end: want %x, got %x", rest, left)
	}
	return rest, ended
}

// checkSticks requires that a Reader whose stream was cut says so again, although its source goes on.
func (s *scratch) checkSticks(t testing.TB, r *serial.Reader, in *pieceReader) {
	s.pieces = append(s.pieces[:0], goesOn)
	in.pieces = s.pieces
	if n, err := r.Read(s.room(1)); n != 0 || err != io.ErrUnexpectedEOF {
		t.Fatalf("after the cut: %d bytes, %v", n, err)
	}
}

// goesOn are bytes of which more of a message comes wherever a stream was cut.
var goesOn = bytes.Repeat([]byte{1}, 300)

// readAll reads or discards as ops say, and then all that remains.
func (s *scratch) readAll(t testing.TB, r *serial.Reader, want []byte, ended bool, ops []byte) {
	end := io.ErrUnexpectedEOF
	if ended {
		end = io.EOF
	}
	for _, op := range ops {
		size := int(op / 2)
		if op%2 == 1 {
			n, err := r.Discard(int64(size))
			if int(n) != min(size, len(want)) || int(n) < size && err != end || int(n) == size && n > 0 && err != nil {
				t.Fatalf("Discard(%d) = %d, %v; %d bytes remain, then %v", size, n, err, len(want), end)
			}
			want = want[n:]
			continue
		}
		p := s.room(size)
		n, err := r.Read(p)
		if !bytes.HasPrefix(want, p[:n]) || size > 0 && (n == 0) != (err != nil) || err != nil && (err != end || n < len(want)) {
			t.Fatalf("Read(%d bytes) = %x, %v; %x remain, then %v", size, p[:n], err, want, end)
		}
		want = want[n:]
	}
	rest, err := s.readToEnd(r)
	if err != end || !bytes.Equal(want, rest) || r.Ended() != ended {
		t.Fatalf("to the end: %x, %v, ended %v; want %x, %v", rest, err, r.Ended(), want, end)
	}
}

// readToEnd is io.ReadAll, but returns io.EOF as well. The slice is valid until the next check.
func (s *scratch) readToEnd(r io.Reader) ([]byte, error) {
	s.got = s.got[:0]
	p := s.room(512)
	for {
		n, err := r.Read(p)
		s.got = append(s.got, p[:n]...)
		if err != nil {
			return s.got, err
		}
	}
}

// rest returns what is left of src.
func (s *scratch) rest(t testing.TB, src io.Reader) []byte {
	left, err := s.readToEnd(src)
	if err != io.EOF {
		t.Fatalf("what follows the stream: %v", err)
	}
	return left
}

// FuzzRoundTrip writes a message in any sizes (three times those given, 0 is a Flush) over buffers
// of any size, and reads it back.
func FuzzRoundTrip(f *testing.F) {
	for _, in := range roundTripSeeds() {
		f.Add(in[0], in[1], in[2], uint16(in[3][0])<<8|uint16(in[3][1]))
	}
	f.Fuzz(func(t *testing.T, m, writes, ops []byte, buffer uint16) {
		s, src, dst := new(scratch), bufio.NewReader(nil), bufio.NewWriterSize(nil, int(buffer))
		got := allocated(func() { s.checkRoundTrip(t, m, writes, ops, src, dst) })
		require.LessOrEqual(t, got, roundTripBound(len(m), len(writes), len(ops)))
	})
}

// roundTripSeeds are messages, sizes, operations and the size of a buffer in two bytes for checkRoundTrip.
func roundTripSeeds() []inputs.Input {
	return []inputs.Input{
		{{}, {}, {}, {0, 0}},
		{{1, 2, 3, 4}, {1, 0, 0}, {2, 3}, {0, 16}},
		{message(255), {85, 0}, {254, 1}, {1, 0}},
		{message(600), {84, 1, 86}, {100, 101, 0}, {1, 44}},
		{message(2000), {255, 0, 255}, {255, 254}, {2, 1}},
	}
}

func roundTripBound(m, writes, ops int) int { return bound(4*m+256*ops+2*writes, 0) }

// checkRoundTrip writes m over dst and reads it back over src.
func (s *scratch) checkRoundTrip(t testing.TB, m, writes, ops []byte, src *bufio.Reader, dst *bufio.Writer) (flushed bool) {
	p := &plain{got: s.wire[:0]}
	dst.Reset(p)
	var w serial.Writer
	w.Reset(dst)
	writeOnce(t, &w, m[:min(len(m), 10)]) // of a stream that is given up
	w.Reset(dst)
	flushed = writeSizes(t, &w, m, writes)
	if err := errors.Join(w.Close(), dst.Flush()); err != nil {
		t.Fatal(err)
	}
	s.wire = p.got
	s.want = serial.AppendStream(s.want[:0], m)
	if !flushed && !bytes.Equal(s.want, p.got) {
		t.Fatalf("%x: %x", m, p.got)
	}
	src.Reset(bytes.NewReader(p.got))
	var r serial.Reader
	r.Reset(src)
	s.readAll(t, &r, m, true, ops)
	return flushed
}

// writeSizes writes m and reports whether it did Flush.
func writeSizes(t testing.TB, w *serial.Writer, m, sizes []byte) (flushed bool) {
	for _, size := range sizes {
		if size == 0 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			flushed = true
			continue
		}
		k := min(3*int(size), len(m))
		writeOnce(t, w, m[:k])
		m = m[k:]
	}
	writeOnce(t, w, m)
	return flushed
}

func writeOnce(t testing.TB, w *serial.Writer, p []byte) {
	if n, err := w.Write(p); n != len(p) || err != nil {
		t.Fatalf("Write(%d bytes) = %d, %v", len(p), n, err)
	}
}
