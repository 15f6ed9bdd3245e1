package block

import (
	"slices"

	"github.com/klauspost/compress/zstd"
)

// decoder is safe for many goroutines at once, as many as GOMAXPROCS decode at the same time. It never takes more than
// it is given room for.
var decoder = func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxRaw),
		zstd.WithDecoderMaxWindow(MaxRaw), zstd.WithDecodeAllCapLimit(true))
	if err != nil { // Only options can fail, and these are fixed.
		panic(err)
	}
	return d
}()

// Decode appends the records of a block, each with its length (4), as in a batch: logwire.NextRecord splits them. It takes
// room for rawLen bytes, that of the block's Summary, and what is not exactly that long is ErrCorrupt. It is safe for
// concurrent use.
func Decode(data []byte, rawLen int, dst []byte) ([]byte, error) {
	if rawLen < minRecord || rawLen > MaxRaw {
		return dst, corrupt("%d bytes of records", rawLen)
	}
	begin := len(dst)
	dst = slices.Grow(dst, rawLen)
	out, err := decoder.DecodeAll(data, dst[:begin:begin+rawLen])
	switch {
	case err != nil:
		return dst, corrupt("records: %v", err)
	case len(out) != begin+rawLen:
		return dst, corrupt("%d bytes of records instead of %d", len(out)-begin, rawLen)
	}
	return dst[:begin+rawLen], nil
}
