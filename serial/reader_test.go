package serial_test

import (
	"bufio"
	"bytes"
	"io"
	"math"
	"strconv"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
)

// arrivals are the ways in which the same bytes may come.
var arrivals = map[string]func(r io.Reader) io.Reader{
	"whole":          func(r io.Reader) io.Reader { return r },
	"one byte":       iotest.OneByteReader,
	"half":           iotest.HalfReader,
	"data and error": iotest.DataErrReader,
	"one byte, data and error": func(r io.Reader) io.Reader {
		return iotest.DataErrReader(iotest.OneByteReader(r))
	},
}

// bufferSizes of a Source, from bufio's least.
var bufferSizes = []int{16, 17, 255, 256, 257, 4096}

// sources are the ways in which a Reader may be made: over a plain reader, with buffers of its own,
// or over a Source.
func sources(b []byte) map[string]io.Reader {
	all := map[string]io.Reader{}
	for name, arrive := range arrivals {
		all[name] = arrive(bytes.NewReader(b))
		for _, size := range bufferSizes {
			all[name+", bufio "+strconv.Itoa(size)] = bufio.NewReaderSize(arrive(bytes.NewReader(b)), size)
		}
	}
	return all
}

func TestReader(t *testing.T) {
	for _, n := range sizes {
		for name, src := range sources(serial.AppendStream(nil, message(n))) {
			require.NoError(t, iotest.TestReader(serial.NewReader(src), message(n)), "%s: %d bytes", name, n)
		}
	}
}

// TestReaderSizes reads in every size from 1 to beyond a block; any division into blocks will do.
func TestReaderSizes(t *testing.T) {
	m := message(600)
	for _, stream := range [][]byte{serial.AppendStream(nil, m), uneven(m)} {
		for name, src := range sources(stream) {
			size := 0
			r, got := serial.NewReader(src), []byte{}
			for !r.Ended() {
				p := make([]byte, size%300+1)
				n, err := r.Read(p)
				if got = append(got, p[:n]...); err != nil {
					require.Equal(t, io.EOF, err, name)
				}
				size += 7
			}
			require.Equal(t, m, got, name)
			n, err := r.Read(make([]byte, 1))
			require.Equal(t, []any{0, io.EOF}, []any{n, err}, name)
		}
	}
}

// uneven encodes m in blocks of 1, 2, 3, ... bytes.
func uneven(m []byte) (stream []byte) {
	for n := 1; len(m) > 0; n++ {
		k := min(n, len(m))
		stream, m = serial.AppendBlocks(stream, m[:k]), m[k:]
	}
	return serial.AppendEnd(stream)
}

// TestReaderGivesWhatItHas: a Read gives all that is buffered, over any number of blocks, and
// waits only when there is nothing.
func TestReaderGivesWhatItHas(t *testing.T) {
	in := &pieceReader{pieces: [][]byte{{3, 1, 2}, {3, 2, 4, 5, 1, 6, 3}, {7}, {8}, {9, 1}, {10}, {0}}}
	r, p := serial.NewReader(in), make([]byte, 100)
	for i, want := range [][]byte{{1, 2}, {3, 4, 5, 6}, {7}, {8}, {9}, {10}} {
		n, err := r.Read(p)
		require.NoError(t, err)
		require.Equal(t, want, p[:n])
		require.Equal(t, i+1, in.reads)
	}
	require.False(t, r.Ended())
	n, err := r.Read(p)
	require.Equal(t, []any{0, io.EOF, 7}, []any{n, err, in.reads})
	require.True(t, r.Ended())
}

// TestReaderTakesTheEnd that is there with the last bytes, and waits for one that is not.
func TestReaderTakesTheEnd(t *testing.T) {
	for _, last := range [][][]byte{{{2, 8, 9, 0}}, {{2}, {8, 9, 0}}} {
		in := &pieceReader{pieces: last}
		r := serial.NewReader(in)
		n, err := r.Read(make([]byte, 2))
		require.Equal(t, []any{2, nil}, []any{n, err}) // a lone length byte is nothing to give
		require.True(t, r.Ended())
		require.Equal(t, len(last), in.reads)
	}
}

// TestReaderCut cuts a stream at every byte: io.ErrUnexpectedEOF, by Read and by Discard, sticks.
func TestReaderCut(t *testing.T) {
	m := message(520)
	stream := serial.AppendStream(nil, m)
	for cut := range stream {
		want, _, _ := parse(stream[:cut])
		for name, src := range sources(stream[:cut]) {
			r := serial.NewReader(src)
			got, err := io.ReadAll(r)
			if err != io.ErrUnexpectedEOF || !bytes.Equal(want, got) {
				t.Fatalf("%s, cut at %d: %d bytes, %v", name, cut, len(got), err)
			}
			checkSticks(t, r, io.ErrUnexpectedEOF)
		}
		for name, src := range sources(stream[:cut]) {
			r := serial.NewReader(src)
			n, err := r.Discard(int64(len(m) + 1))
			if n != int64(len(want)) || err != io.ErrUnexpectedEOF {
				t.Fatalf("%s, cut at %d: Discard = %d, %v", name, cut, n, err)
			}
			checkSticks(t, r, io.ErrUnexpectedEOF)
		}
	}
}

func checkSticks(t *testing.T, r *serial.Reader, want error) {
	t.Helper()
	for range 2 {
		for _, size := range []int{0, 1, 600} {
			n, err := r.Read(make([]byte, size))
			m, discardErr := r.Discard(int64(size))
			if n != 0 || m != 0 || err != want || discardErr != want || r.Ended() {
				t.Fatalf("Read = %d, %v; Discard = %d, %v, size %d", n, err, m, discardErr, size)
			}
		}
	}
}

// interrupted gives head, fails once, and then would go on with the tail.
type interrupted struct {
	head, tail []byte
	err        error
}

func (i *interrupted) Read(p []byte) (int, error) {
	if len(i.head) == 0 && i.err != nil {
		err := i.err
		i.err = nil
		return 0, err
	}
	if len(i.head) == 0 {
		i.head, i.tail = i.tail, nil
	}
	if len(i.head) == 0 {
		return 0, io.EOF
	}
	n := copy(p, i.head)
	i.head = i.head[n:]
	return n, nil
}

// TestReaderErrorsStick: an error comes after every byte, as it is, but io.EOF. The source would
// recover; the Reader does not.
func TestReaderErrorsStick(t *testing.T) {
	stream := serial.AppendStream(nil, message(300))
	for in, want := range map[error]error{
		errBoom: errBoom, io.ErrClosedPipe: io.ErrClosedPipe, io.ErrNoProgress: io.ErrNoProgress,
		io.EOF: io.ErrUnexpectedEOF, io.ErrUnexpectedEOF: io.ErrUnexpectedEOF,
	} {
		for cut := range stream {
			for name, arrive := range arrivals {
				for _, wrap := range []func(io.Reader) io.Reader{
					func(r io.Reader) io.Reader { return r },
					func(r io.Reader) io.Reader { return bufio.NewReaderSize(r, 16) },
				} {
					r := serial.NewReader(wrap(arrive(&interrupted{stream[:cut], stream[cut:], in})))
					got, err := io.ReadAll(r)
					message, _, _ := parse(stream[:cut])
					if err != want || !bytes.Equal(message, got) {
						t.Fatalf("%s, %v at %d: %d bytes, %v", name, in, cut, len(got), err)
					}
					checkSticks(t, r, want)
				}
			}
		}
	}
}

// TestReaderLeavesTheRest: what follows the 00 stays in the Source, even if it is read on at the
// end, and is the next stream of a Reader that was Reset.
func TestReaderLeavesTheRest(t *testing.T) {
	for _, n := range sizes {
		first, second := serial.AppendStream(nil, message(n)), serial.AppendStream(nil, message(300))
		for name, src := range sources(bytes.Join([][]byte{first, second, []byte("rest")}, nil)) {
			b, ok := src.(*bufio.Reader)
			if !ok {
				continue
			}
			r := serial.NewReader(b)
			for _, want := range []int{n, 300} {
				require.False(t, r.Ended())
				got, err := io.ReadAll(r)
				require.NoError(t, err, name)
				require.True(t, bytes.Equal(message(want), got), name)
				for range 2 {
					require.True(t, r.Ended())
					read, err := r.Read(make([]byte, 10))
					require.Equal(t, []any{0, io.EOF}, []any{read, err}, name)
					skipped, err := r.Discard(10)
					require.Equal(t, []any{int64(0), io.EOF}, []any{skipped, err}, name)
				}
				r.Reset(b)
			}
			rest, err := io.ReadAll(b)
			require.NoError(t, err)
			require.Equal(t, "rest", string(rest), name)
		}
	}
}

func TestReaderResetAfterAnError(t *testing.T) {
	r := serial.NewReader(bytes.NewReader([]byte{5, 1}))
	_, err := io.ReadAll(r)
	require.Equal(t, io.ErrUnexpectedEOF, err)
	r.Reset(bufio.NewReader(bytes.NewReader([]byte{1, 7, 0})))
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, []byte{7}, got)
}

func TestReaderDiscard(t *testing.T) {
	const length = 520
	m := message(length)
	for _, n := range []int64{math.MinInt64, -1, 0, 1, 2, 254, 255, 256, 510, length - 1, length, length + 1, math.MaxInt64} {
		for name, src := range sources(append(serial.AppendStream(nil, m), "rest"...)) {
			want, wantErr := max(0, min(n, length)), error(nil)
			if n > length {
				wantErr = io.EOF
			}
			r := serial.NewReader(src)
			skipped, err := r.Discard(n)
			require.Equal(t, want, skipped, "%s: %d", name, n)
			require.Equal(t, wantErr, err, "%s: %d", name, n)
			rest, err := io.ReadAll(r)
			require.NoError(t, err, "%s: %d", name, n)
			require.True(t, bytes.Equal(m[want:], rest), "%s: %d", name, n)
			skipped, err = r.Discard(0)
			require.Equal(t, []any{int64(0), nil}, []any{skipped, err}, name)
		}
	}
}

// TestReaderAlternates between Read and Discard, byte for byte and more.
func TestReaderAlternates(t *testing.T) {
	m := message(1000)
	for name, src := range sources(serial.AppendStream(nil, m)) {
		r, at := serial.NewReader(src), 0
		for step := 1; at+2*step <= len(m); step++ {
			p := make([]byte, step)
			_, err := io.ReadFull(r, p)
			require.NoError(t, err, name)
			require.Equal(t, m[at:at+step], p, name)
			n, err := r.Discard(int64(step))
			require.NoError(t, err, name)
			require.Equal(t, int64(step), n, name)
			at += 2 * step
		}
	}
}

// TestReadNothing: a Read of no bytes waits for nothing.
func TestReadNothing(t *testing.T) {
	in := &pieceReader{pieces: [][]byte{{1, 7}, {0}}}
	r := serial.NewReader(in)
	for _, want := range []int{0, 1, 2} {
		for _, p := range [][]byte{nil, {}} {
			n, err := r.Read(p)
			require.Equal(t, []any{0, nil}, []any{n, err})
			require.Equal(t, want, in.reads)
		}
		r.Read(make([]byte, 1))
	}
	require.True(t, r.Ended())
}

func TestReaderAllocatesNothing(t *testing.T) {
	stream, p := serial.AppendStream(nil, message(70000)), make([]byte, 300)
	for _, size := range bufferSizes {
		src := bytes.NewReader(nil)
		b := bufio.NewReaderSize(src, size)
		var r serial.Reader
		require.Zero(t, testing.AllocsPerRun(20, func() {
			src.Reset(stream)
			b.Reset(src)
			r.Reset(b)
			for range 100 {
				r.Read(p)
			}
			r.Discard(1 << 20)
		}), size)
		require.True(t, r.Ended())
	}
}
