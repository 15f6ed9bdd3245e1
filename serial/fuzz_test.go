package serial_test

import (
	"bufio"
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

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
	for i, s := range seeds {
		f.Add(unhex(f, s), []byte{1, byte(i), 0, 2}, uint8(i))
	}
	f.Add(append(serial.AppendStream(nil, message(600)), 1, 0), []byte{255, 1, 1, 255}, uint8(7))
	f.Add(bytes.Repeat([]byte{1, 7}, 4096), []byte{}, uint8(100)) // many headers
	f.Fuzz(func(t *testing.T, stream, cuts []byte, size uint8) {
		all := pieces(stream, cuts)
		got := allocated(func() { checkDecode(t, stream, all, int(size)+1) })
		require.LessOrEqual(t, got, bound(2*len(stream), 256)) // the oracle's message, too
		checkSkip(t, all, int(size))
	})
}

// FuzzReader reads and discards a stream that comes in any pieces, over a buffer of any size. An
// odd operation discards.
func FuzzReader(f *testing.F) {
	for i, s := range seeds {
		f.Add(unhex(f, s), []byte{1, byte(i), 0, 2}, []byte{2, 0, 5, 1, byte(i)}, uint16(i))
	}
	f.Add(append(serial.AppendStream(nil, message(600)), 1, 0), []byte{255, 1, 1, 255}, []byte{254, 255, 2, 3}, uint16(4096))
	f.Add(bytes.Repeat([]byte{1, 7}, 4096), []byte{}, []byte{100}, uint16(16))
	f.Fuzz(func(t *testing.T, stream, cuts, ops []byte, buffer uint16) {
		want, rest, ended := parse(stream)
		in := &pieceReader{}
		src := bufio.NewReaderSize(in, int(buffer))
		got := allocated(func() {
			in.pieces = pieces(stream, cuts)
			src.Reset(in)
			r := serial.NewReader(src)
			checkReader(t, r, want, ended, ops)
		})
		require.LessOrEqual(t, got, bound(len(stream)+32*len(cuts)+256*len(ops), 0))
		if ended {
			left, err := io.ReadAll(src)
			require.NoError(t, err)
			require.True(t, bytes.Equal(rest, left), "after the end: want %x, got %x", rest, left)
		}
	})
}

// checkReader reads or discards as ops say, and then all that remains.
func checkReader(t *testing.T, r *serial.Reader, want []byte, ended bool, ops []byte) {
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
		p := make([]byte, size)
		n, err := r.Read(p)
		if !bytes.HasPrefix(want, p[:n]) || size > 0 && (n == 0) != (err != nil) || err != nil && (err != end || n < len(want)) {
			t.Fatalf("Read(%d bytes) = %x, %v; %x remain, then %v", size, p[:n], err, want, end)
		}
		want = want[n:]
	}
	rest, err := io.ReadAll(r)
	if err == nil {
		err = io.EOF
	}
	if err != end || !bytes.Equal(want, rest) || r.Ended() != ended {
		t.Fatalf("ReadAll = %x, %v, ended %v; want %x, %v", rest, err, r.Ended(), want, end)
	}
}

// FuzzRoundTrip writes a message in any sizes (three times those given, 0 is a Flush) over buffers
// of any size, and reads it back.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte{}, []byte{}, []byte{}, uint16(0))
	f.Add([]byte{1, 2, 3, 4}, []byte{1, 0, 0}, []byte{2, 3}, uint16(16))
	f.Add(message(255), []byte{85, 0}, []byte{254, 1}, uint16(256))
	f.Add(message(600), []byte{84, 1, 86}, []byte{100, 101, 0}, uint16(300))
	f.Add(message(2000), []byte{255, 0, 255}, []byte{255, 254}, uint16(513))
	f.Fuzz(func(t *testing.T, m, writes, ops []byte, buffer uint16) {
		got := allocated(func() {
			p := new(plain)
			b := bufio.NewWriterSize(p, int(buffer))
			w := serial.NewWriter(b)
			flushed := writeSizes(t, w, m, writes)
			require.NoError(t, w.Close())
			require.NoError(t, b.Flush())
			require.True(t, flushed || bytes.Equal(serial.AppendStream(nil, m), p.got), "%x: %x", m, p.got)
			checkReader(t, serial.NewReader(bytes.NewReader(p.got)), m, true, ops)
		})
		require.LessOrEqual(t, got, bound(4*len(m)+256*len(ops)+2*len(writes), max(16, int(buffer))))
	})
}

// writeSizes writes m and reports whether it did Flush.
func writeSizes(t *testing.T, w *serial.Writer, m, sizes []byte) (flushed bool) {
	for _, size := range sizes {
		if size == 0 {
			require.NoError(t, w.Flush())
			flushed = true
			continue
		}
		k := min(3*int(size), len(m))
		write(t, w, m[:k], 765)
		m = m[k:]
	}
	write(t, w, m, max(1, len(m)))
	return flushed
}
