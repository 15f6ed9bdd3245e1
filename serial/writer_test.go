package serial_test

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
)

// plain is an io.Writer and nothing more.
type plain struct {
	got    []byte
	writes int
}

func (p *plain) Write(b []byte) (int, error) {
	p.writes++
	p.got = append(p.got, b...)
	return len(b), nil
}

// destination is one way to have a Writer: finish flushes what is the caller's to flush.
type destination struct {
	w      *serial.Writer
	finish func() []byte
}

func destinations() map[string]destination {
	p := new(plain)
	var grows bytes.Buffer
	fits := bytes.NewBuffer(make([]byte, 0, 1<<17))
	all := map[string]destination{
		"plain":        {serial.NewWriter(p), func() []byte { return p.got }},
		"bytes.Buffer": {serial.NewWriter(&grows), grows.Bytes},
		"large enough": {serial.NewWriter(fits), fits.Bytes},
	}
	for _, size := range []int{16, 255, 256, 257, 300, 511, 512, 4096} {
		p := new(plain)
		b := bufio.NewWriterSize(p, size)
		all["bufio "+strconv.Itoa(size)] = destination{serial.NewWriter(b), func() []byte { b.Flush(); return p.got }}
	}
	return all
}

// write writes b in the sizes given, again and again.
func write(t testing.TB, w *serial.Writer, b []byte, sizes ...int) {
	t.Helper()
	for i := 0; len(b) > 0; i++ {
		k := min(sizes[i%len(sizes)], len(b))
		n, err := w.Write(b[:k])
		if n != k || err != nil {
			t.Fatalf("Write(%d bytes) = %d, %v", k, n, err)
		}
		b = b[k:]
	}
}

// TestWriterFillsBlocks: whatever the sizes of the writes, all blocks are full but the last.
func TestWriterFillsBlocks(t *testing.T) {
	for _, writes := range [][]int{{1}, {2}, {3, 254}, {254}, {255}, {256}, {0, 1, 0, 253}, {254, 1, 600, 255}, {1000}, {1, 16320}, {70000}} {
		for _, n := range sizes {
			for name, d := range destinations() {
				write(t, d.w, message(n), writes...)
				require.NoError(t, d.w.Close())
				require.True(t, bytes.Equal(serial.AppendStream(nil, message(n)), d.finish()), "%s: %d bytes in writes of %v", name, n, writes)
			}
		}
	}
}

// TestWriterEverySequence is every sequence of four interesting write sizes.
func TestWriterEverySequence(t *testing.T) {
	interesting := []int{0, 1, 254, 255, 256, 511}
	for i := range 6 * 6 * 6 * 6 {
		writes := []int{interesting[i%6], interesting[i/6%6], interesting[i/36%6], interesting[i/216]}
		total := 0
		for _, n := range writes {
			total += n
		}
		for _, size := range []int{16, 300, 600} {
			p := new(plain)
			b := bufio.NewWriterSize(p, size)
			w, rest := serial.NewWriter(b), message(total)
			for _, n := range writes {
				write(t, w, rest[:n], max(n, 1))
				rest = rest[n:]
			}
			require.NoError(t, w.Close())
			require.NoError(t, b.Flush())
			if !bytes.Equal(serial.AppendStream(nil, message(total)), p.got) {
				t.Fatalf("writes of %v over a buffer of %d: %x", writes, size, p.got)
			}
		}
	}
}

// TestFlushEndsTheBlock at every place. A second Flush, or one between blocks, writes nothing:
// it would be the end.
func TestFlushEndsTheBlock(t *testing.T) {
	m := message(600)
	for k := range len(m) + 1 {
		for name, d := range destinations() {
			write(t, d.w, m[:k], 600)
			require.NoError(t, d.w.Flush())
			require.NoError(t, d.w.Flush())
			want := serial.AppendBlocks(nil, m[:k])
			if name == "plain" || name == "bytes.Buffer" {
				require.True(t, bytes.Equal(want, d.finish()), "%s: flushed at %d", name, k)
			}
			write(t, d.w, m[k:], 600)
			require.NoError(t, d.w.Close())
			want = serial.AppendStream(want, m[k:])
			require.True(t, bytes.Equal(want, d.finish()), "%s: flushed at %d", name, k)
		}
	}
}

// TestWriterCoalesces: over a plain io.Writer 16 KiB make one write, and Flush and Close one.
func TestWriterCoalesces(t *testing.T) {
	const buffer = 16 << 10
	for _, n := range []int{0, 1, 255, 5000, 16320, 16321, 1 << 20} {
		for _, size := range []int{7, 255, 1000, 1 << 20} {
			p := new(plain)
			w := serial.NewWriter(p)
			write(t, w, message(n), size)
			require.LessOrEqual(t, p.writes, n/buffer+1)
			require.NoError(t, w.Close())
			require.Equal(t, (serial.EncodedLen(n)+buffer-1)/buffer, p.writes, "%d bytes in writes of %d", n, size)
		}
	}
	p := new(plain)
	w := serial.NewWriter(p)
	for want := range 5 {
		require.Equal(t, want, p.writes)
		write(t, w, message(600), 100)
		require.NoError(t, w.Flush())
	}
}

// TestWriterEncodesInTheSink: a full block is in the bufio.Writer at once, and stays there, Flush
// and Close included.
func TestWriterEncodesInTheSink(t *testing.T) {
	for _, size := range []int{serial.EncodedLen(3000), 1 << 16} {
		p := new(plain)
		b := bufio.NewWriterSize(p, size)
		w := serial.NewWriter(b)
		write(t, w, message(3000), 100)
		require.Equal(t, 11*256, b.Buffered())
		require.NoError(t, w.Flush())
		require.Equal(t, 11*256+1+195, b.Buffered())
		require.NoError(t, w.Close())
		require.Equal(t, serial.EncodedLen(3000), b.Buffered())
		require.Zero(t, p.writes)
		require.NoError(t, b.Flush())
		require.Equal(t, serial.AppendStream(nil, message(3000)), p.got)
	}
}

// roomy is a Sink that has room for n bytes at any time, and counts what is written at once.
type roomy struct {
	plain
	n int
}

func (r *roomy) Available() int          { return r.n }
func (r *roomy) AvailableBuffer() []byte { return make([]byte, 0, r.n) }

// TestWriterWritesManyBlocks at a time: as many as the Sink has room for.
func TestWriterWritesManyBlocks(t *testing.T) {
	for room, writes := range map[int]int{256: 64, 511: 64, 64*256 - 1: 2, 64 * 256: 1, 1 << 20: 1} {
		sink := &roomy{n: room}
		write(t, serial.NewWriter(sink), message(64*255), 64*255)
		require.Equal(t, writes, sink.writes, room)
		require.Equal(t, serial.AppendBlocks(nil, message(64*255)), sink.got)
	}
}

func TestWriterKeepsNoReference(t *testing.T) {
	for name, d := range destinations() {
		p, want := message(600), message(600)
		write(t, d.w, p, 7)
		clear(p)
		require.NoError(t, d.w.Close())
		require.Equal(t, serial.AppendStream(nil, want), d.finish(), name)
	}
}

func TestWriterAfterClose(t *testing.T) {
	for name, d := range destinations() {
		write(t, d.w, message(300), 300)
		require.NoError(t, d.w.Close())
		for range 2 {
			require.Equal(t, serial.ErrWriterClosed, d.w.Close(), name)
			require.Equal(t, serial.ErrWriterClosed, d.w.Flush(), name)
			for _, n := range []int{0, 1, 600} {
				written, err := d.w.Write(message(n))
				require.Zero(t, written)
				require.Equal(t, serial.ErrWriterClosed, err, name)
			}
		}
		require.Equal(t, serial.AppendStream(nil, message(300)), d.finish(), name)
	}
}

// TestNoEndWithoutClose: a message that was not closed is a cut one, however much was flushed.
func TestNoEndWithoutClose(t *testing.T) {
	for n := range 600 {
		for name, d := range destinations() {
			write(t, d.w, message(n), 1+n/2)
			require.NoError(t, d.w.Flush())
			got, _, ended := parse(d.finish())
			if ended || !bytes.Equal(got, message(n)) {
				t.Fatalf("%s: %d bytes: %d, ended %v", name, n, len(got), ended)
			}
		}
	}
}

// TestWriterReset begins anew whatever state the Writer is in, and drops what it held.
func TestWriterReset(t *testing.T) {
	p := new(plain)
	for name, w := range map[string]*serial.Writer{
		"zero":       new(serial.Writer),
		"new":        serial.NewWriter(p),
		"open block": written(serial.NewWriter(p), 100),
		"buffered":   written(serial.NewWriter(p), 1000),
		"closed":     closed(serial.NewWriter(new(plain))),
		"in error":   closed(serial.NewWriter(&flaky{})),
		"full block": written(serial.NewWriter(bufio.NewWriterSize(&flaky{}, 16)), 255),
	} {
		dst := new(plain)
		b := bufio.NewWriter(dst)
		w.Reset(b)
		write(t, w, message(300), 100)
		require.NoError(t, w.Flush(), name)
		require.NoError(t, w.Close(), name)
		require.Zero(t, dst.writes, name)
		require.NoError(t, b.Flush())
		require.Equal(t, serial.AppendStream(nil, message(300)), dst.got, name)
	}
	require.Zero(t, p.writes)
}

func written(w *serial.Writer, n int) *serial.Writer { w.Write(message(n)); return w }
func closed(w *serial.Writer) *serial.Writer         { w.Close(); return w }

func TestWriterAllocatesNothing(t *testing.T) {
	for _, size := range []int{16, 255, 300, 511, 4095, 4096, 1 << 17} {
		b, m := bufio.NewWriterSize(io.Discard, size), message(70000)
		var w serial.Writer
		require.Zero(t, testing.AllocsPerRun(20, func() {
			w.Reset(b)
			w.Write(m[:10])
			w.Write(m)
			w.Flush()
			w.Write(m[:600])
			w.Close()
		}), size)
	}
}
