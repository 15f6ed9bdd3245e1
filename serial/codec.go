package serial

// MaxBlock is the most bytes that one block carries. It is what its length byte can say.
const MaxBlock = 255

// fullBlock is the size of a full block on the wire: its length byte and its bytes.
const fullBlock = 1 + MaxBlock

// streamEnd is the length byte that ends a block stream (docs/protocol.md, "Block streams").
const streamEnd = 0

// EncodedLen returns how many bytes the block stream of an n-byte message takes on the wire when
// all its blocks but the last are full: n, one byte for each block, and one for the end.
func EncodedLen(n int) int {
	return n + (n+MaxBlock-1)/MaxBlock + 1
}

// AppendBlocks appends p to dst as blocks, all full but the last, without the end of the stream.
func AppendBlocks(dst, p []byte) []byte {
	for len(p) > MaxBlock {
		dst = append(dst, MaxBlock)
		dst = append(dst, p[:MaxBlock]...)
		p = p[MaxBlock:]
	}
	if len(p) > 0 {
		dst = append(dst, byte(len(p)))
		dst = append(dst, p...)
	}
	return dst
}

// AppendEnd appends the end of a block stream to dst.
func AppendEnd(dst []byte) []byte { return append(dst, streamEnd) }

// AppendStream appends the whole message p to dst as a block stream, its end included.
func AppendStream(dst, p []byte) []byte { return AppendEnd(AppendBlocks(dst, p)) }

// Decoder is the state of one block stream between two slices of it. The zero Decoder stands at
// the beginning of a stream. It accepts the stream in pieces cut anywhere and never reads past
// its end.
type Decoder struct {
	left  uint8 // bytes of the current block that are still to come
	ended bool  // the end was read
}

// Ended reports whether the end of the stream was read.
func (d *Decoder) Ended() bool { return d.ended }

// Decode copies message bytes from src, the next piece of the stream, to dst until either is used
// up or the stream ends. It returns how many bytes it wrote and how many it consumed. The end of
// the stream is consumed as soon as it stands next in src, even when dst is full. After the end
// Decode consumes nothing.
func (d *Decoder) Decode(dst, src []byte) (written, consumed int) {
	for consumed < len(src) {
		if d.left == 0 && !d.header(src[consumed:], &consumed) {
			break
		}
		piece := src[consumed:]
		if len(piece) > int(d.left) {
			piece = piece[:d.left]
		}
		n := copy(dst[written:], piece)
		if n == 0 {
			break
		}
		written += n
		consumed += n
		d.left -= uint8(n)
	}
	return written, consumed
}

// Skip is Decode without a destination: it consumes at most limit message bytes, and the length bytes in
// front of them.
func (d *Decoder) Skip(src []byte, limit int) (skipped, consumed int) {
	for consumed < len(src) {
		if d.left == 0 && !d.ended {
			n := fullBlocks(src[consumed:], limit-skipped)
			skipped += n * MaxBlock
			consumed += n * fullBlock
			if consumed == len(src) {
				break
			}
		}
		if d.left == 0 && !d.header(src[consumed:], &consumed) {
			break
		}
		n := min(int(d.left), len(src)-consumed, limit-skipped)
		if n <= 0 {
			break
		}
		skipped += n
		consumed += n
		d.left -= uint8(n)
	}
	return skipped, consumed
}

// fullBlocks returns how many whole blocks of MaxBlock bytes src begins with, at most those of limit
// bytes. They stand where they do whatever they hold, so that a processor looks at many of them at a time.
func fullBlocks(src []byte, limit int) int {
	n := 0
	for at := 0; at+fullBlock <= len(src) && src[at] == MaxBlock && limit >= MaxBlock; at += fullBlock {
		limit -= MaxBlock
		n++
	}
	return n
}

// header takes the next length byte from src. It reports whether a block begins with it.
func (d *Decoder) header(src []byte, consumed *int) bool {
	if d.ended {
		return false
	}
	*consumed++
	d.left = src[0]
	d.ended = src[0] == streamEnd
	return !d.ended
}
