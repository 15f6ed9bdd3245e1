package serial_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialtest"
)

// short are streams of which every cut is tried: with the end or cut, with bytes after it.
var short = []string{
	"03 01 02 03 01 04 00",
	"01 01 01 02 01 03 01 04 00",
	"04 01 02 03 04 00",
	"00",
	"00 00 03 01",
	"01 00 01 00 00",
	"02 00 00 02 00 01 00 09 00 01 07",
	"05 01 02 03 04",
	"ff 00 00 00",
	"03 01 02 03",
}

func TestWorkedExample(t *testing.T) {
	want := []byte{1, 2, 3, 4}
	for _, stream := range []string{short[0], short[1], short[2]} {
		var d serial.Decoder
		dst, src := make([]byte, 10), unhex(t, stream)
		written, consumed := d.Decode(dst, src)
		require.Equal(t, want, dst[:written])
		require.Equal(t, len(src), consumed)
		require.True(t, d.Ended())
	}
}

func TestAppendStream(t *testing.T) {
	for _, c := range []struct{ message, stream string }{
		{"", "00"},
		{"00", "01 00 00"},
		{"01 02 03 04", "04 01 02 03 04 00"},
		{strings.Repeat("07", 254), "fe" + strings.Repeat("07", 254) + "00"},
		{strings.Repeat("07", 255), "ff" + strings.Repeat("07", 255) + "00"},
		{strings.Repeat("07", 256), "ff" + strings.Repeat("07", 255) + "01 07 00"},
		{strings.Repeat("07", 510), strings.Repeat("ff"+strings.Repeat("07", 255), 2) + "00"},
		{strings.Repeat("07", 511), strings.Repeat("ff"+strings.Repeat("07", 255), 2) + "01 07 00"},
	} {
		message, stream := unhex(t, c.message), unhex(t, c.stream)
		blocks := stream[:len(stream)-1]
		require.Equal(t, stream, serial.AppendStream(nil, message))
		require.Equal(t, append([]byte("before"), stream...), serial.AppendStream([]byte("before"), message))
		require.Equal(t, append([]byte("before"), blocks...), serial.AppendBlocks([]byte("before"), message))
		require.Equal(t, len(stream), serial.EncodedLen(len(message)))
	}
	require.Equal(t, []byte{7, 0}, serial.AppendEnd([]byte{7}))
	require.Nil(t, serial.AppendBlocks(nil, nil))
}

func TestEncodedLen(t *testing.T) {
	for n, want := range map[int]int{0: 1, 1: 3, 254: 256, 255: 257, 256: 259, 510: 513, 511: 515} {
		require.Equal(t, want, serial.EncodedLen(n), n)
	}
	all := message(2000)
	for n := range all {
		require.Equal(t, len(serial.AppendStream(nil, all[:n])), serial.EncodedLen(n), n)
	}
}

// TestVectors: the golden transcripts' answers are what AppendStream makes of their messages.
func TestVectors(t *testing.T) {
	for _, v := range serialtest.Vectors() {
		want := []byte{}
		for _, m := range v.Messages {
			switch {
			case m.OK != nil:
				want = serial.AppendStream(append(want, byte(serial.ResponseOK)), *m.OK)
			case m.Cut != nil && len(*m.Cut) > 0: // an empty one may have had no response code
				want = serial.AppendBlocks(append(want, byte(serial.ResponseOK)), *m.Cut)
			case m.Error != nil:
				want = append(want, byte(serial.ResponseError), byte(*m.Error))
			case m.Goodbye:
				want = append(want, byte(serial.ResponseGoodbye))
			}
		}
		require.Equal(t, want, []byte(v.Receive), v.Name)
	}
}

// TestDecodeEveryCut gives short streams in every division that there is.
func TestDecodeEveryCut(t *testing.T) {
	for _, s := range short {
		stream := unhex(t, s)
		for mask := range 1 << (len(stream) - 1) {
			cut, last := [][]byte{}, 0
			for i := 1; i < len(stream); i++ {
				if mask>>(i-1)&1 == 1 {
					cut, last = append(cut, stream[last:i]), i
				}
			}
			cut = append(cut, stream[last:])
			for _, size := range []int{1, 2, 3, 100} {
				checkDecode(t, stream, cut, size)
				checkSkip(t, cut, size)
			}
			checkSkip(t, cut, 0)
		}
	}
}

// TestDecodeEveryTwoCuts does so with three pieces of a stream with a full block.
func TestDecodeEveryTwoCuts(t *testing.T) {
	t.Parallel()
	stream := append(serial.AppendStream(nil, message(258)), 9, 9)
	for _, size := range []int{1, 2, 3, 1000} {
		for i := range len(stream) + 1 {
			for j := i; j <= len(stream); j++ {
				checkDecode(t, stream, [][]byte{stream[:i], stream[i:j], stream[j:]}, size)
			}
		}
	}
}

// TestDecodeLong is large messages in pieces of every message size.
func TestDecodeLong(t *testing.T) {
	for _, n := range sizes {
		stream := append(serial.AppendStream(nil, message(n)), 1, 0)
		for _, size := range sizes[1:] {
			var all [][]byte
			for b := stream; len(b) > 0; {
				k := min(size, len(b))
				all, b = append(all, b[:k]), b[k:]
			}
			checkDecode(t, stream, all, 255)
			checkDecode(t, stream, all, 70000)
			checkSkip(t, all, size)
		}
	}
}

// TestEndIsConsumedEagerly: the 00 is consumed with the last byte of the message although dst is
// full; what follows is not.
func TestEndIsConsumedEagerly(t *testing.T) {
	for _, n := range sizes {
		stream := serial.AppendStream(nil, message(n))
		var d, s serial.Decoder
		written, consumed := d.Decode(make([]byte, n), append(bytes.Clone(stream), 1, 7))
		require.Equal(t, []int{n, len(stream)}, []int{written, consumed})
		require.True(t, d.Ended())
		skipped, consumed := s.Skip(append(bytes.Clone(stream), 1, 7), n)
		require.Equal(t, []int{n, len(stream)}, []int{skipped, consumed})
		require.True(t, s.Ended())
	}
}

func TestNothingIsConsumedAfterTheEnd(t *testing.T) {
	var d serial.Decoder
	d.Decode(nil, []byte{0})
	for _, src := range [][]byte{nil, {0}, {1, 7}, {1, 7, 0}} {
		written, consumed := d.Decode(make([]byte, 3), src)
		require.Equal(t, []int{0, 0}, []int{written, consumed})
		written, consumed = d.Skip(src, 3)
		require.Equal(t, []int{0, 0}, []int{written, consumed})
		require.True(t, d.Ended())
	}
}

// TestSkipLimits: a limit of any size is safe; none below 1 skips a byte of the message.
func TestSkipLimits(t *testing.T) {
	stream := append(serial.AppendStream(nil, message(300)), 9)
	for _, limit := range []int{math.MinInt, -1, 0, 1, 254, 255, 256, 299, 300, 301, math.MaxInt} {
		var d serial.Decoder
		skipped, consumed := d.Skip(stream, limit)
		require.Equal(t, max(0, min(limit, 300)), skipped, limit)
		require.Less(t, consumed, len(stream), limit)
		require.Equal(t, limit >= 300, d.Ended(), limit)
	}
}

// TestDecodeExhaustive is every input of up to 3 bytes.
func TestDecodeExhaustive(t *testing.T) {
	t.Parallel()
	dst := make([]byte, 3)
	src := make([]byte, 3)
	for n := range 4 {
		for v := range 1 << (8 * n) {
			src[0], src[1], src[2] = byte(v), byte(v>>8), byte(v>>16)
			var d serial.Decoder
			written, consumed := d.Decode(dst, src[:n])
			want, rest, ended := parse(src[:n])
			if !bytes.Equal(dst[:written], want) || consumed != n-len(rest) || d.Ended() != ended {
				t.Fatalf("%x: got %x, consumed %d, ended %v", src[:n], dst[:written], consumed, d.Ended())
			}
		}
	}
}
