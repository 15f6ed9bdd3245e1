package serialclient

import (
	"io"
	"math"

	"github.com/serialkit/serialkit/internal/transport"
	"github.com/serialkit/serialkit/serial"
)

// body reads the block stream of one response. Unlike a serial.Reader it can be read on after an
// error: a read may have been interrupted, and the rest of the response is then thrown away.
type body struct {
	decoder serial.Decoder
	input   *transport.Input
}

// reset makes b the body of the next response of input.
func (b *body) reset(input *transport.Input) { *b = body{input: input} }

// ended reports whether the body was read to its end.
func (b *body) ended() bool { return b.decoder.Ended() }

// Read reads up to len(p) bytes: all that is buffered, if anything is. It returns io.EOF at the end
// of the body, and io.ErrUnexpectedEOF at the end of the connection.
func (b *body) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return b.next(func(src []byte) (int, int) { return b.decoder.Decode(p, src) })
}

// discard reads at least one byte, and at most limit, and throws them away. It returns as Read does.
func (b *body) discard(limit int64) (int64, error) {
	n, err := b.next(func(src []byte) (int, int) {
		return b.decoder.Skip(src, int(min(limit, math.MaxInt)))
	})
	return int64(n), err
}

// next decodes what is buffered, and waits for more as long as that gives nothing.
func (b *body) next(decode func(src []byte) (n, consumed int)) (int, error) {
	for !b.ended() {
		if _, err := b.input.Peek(1); err != nil {
			return 0, unexpected(err)
		}
		src, err := b.input.Peek(b.input.Buffered())
		if err != nil {
			return 0, err
		}
		n, consumed := decode(src)
		b.input.Discard(consumed)
		if n > 0 {
			return n, nil
		}
	}
	return 0, io.EOF
}

// unexpected makes the end of the connection what it is in the middle of something.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
