package serial

import (
	"bufio"
	"io"
	"math"
)

// Source is a buffered reader that blocks are decoded from in place. *bufio.Reader is one: its
// documentation defines the methods. Discard is only called with at most Buffered bytes, and Peek
// with as many, or with 1 when nothing is buffered.
type Source interface {
	Peek(n int) ([]byte, error)
	Discard(n int) (int, error)
	Buffered() int
}

// Reader reads the message of one block stream: io.EOF at the 00, io.ErrUnexpectedEOF where the
// source ends before it, and any other error of the source as it is. The first error sticks. It
// never takes a byte beyond the 00 out of its Source.
//
// The zero Reader is ready for Reset. The methods of a Reader are not safe for concurrent use.
type Reader struct {
	src Source
	dec Decoder
	err error // the first error but io.EOF
}

// NewReader returns a Reader of r. If r is a [Source], the stream is decoded in its buffer, and
// what follows the stream stays there. Otherwise the Reader buffers by itself, and may have read
// from r beyond the end of the stream. A *bufio.ReadWriter is no Source: pass its Reader, so that
// nothing of what follows is lost.
func NewReader(r io.Reader) *Reader {
	src, ok := r.(Source)
	if !ok {
		src = bufio.NewReader(r)
	}
	return &Reader{src: src}
}

// Reset makes r the Reader of the next block stream of src. It allocates nothing.
func (r *Reader) Reset(src Source) { *r = Reader{src: src} }

// Ended reports whether the 00 was read.
func (r *Reader) Ended() bool { return r.dec.Ended() }

// Read reads up to len(p) bytes of the message: all that is buffered, if anything is, so that it
// waits for the source only when it has nothing to give.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, r.err
	}
	for {
		src, err := r.buffered()
		if err != nil {
			return 0, err
		}
		written, consumed := r.dec.Decode(p, src)
		if err := r.consume(consumed); err != nil {
			return written, err
		}
		if written > 0 {
			return written, nil
		}
	}
}

// Discard skips the next n bytes of the message and returns how many it skipped. If that is less
// than n, the error says why: io.EOF at the end of the message. With n = 0 it skips nothing and
// returns nil or the sticky error.
func (r *Reader) Discard(n int64) (int64, error) {
	var done int64
	for done < n {
		src, err := r.buffered()
		if err != nil {
			return done, err
		}
		skipped, consumed := r.dec.Skip(src, int(min(n-done, math.MaxInt)))
		if err := r.consume(consumed); err != nil {
			return done, err
		}
		done += int64(skipped)
	}
	return done, r.err
}

// buffered returns the source's whole buffer, which is not empty, and waits for it where it must.
func (r *Reader) buffered() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	if r.dec.Ended() {
		return nil, io.EOF
	}
	var b []byte
	var err error
	if r.src.Buffered() == 0 {
		b, err = r.src.Peek(1) // fills the buffer
	}
	if n := r.src.Buffered(); n > len(b) {
		b, err = r.src.Peek(n)
	}
	if len(b) > 0 {
		return b, nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	} else if err == nil {
		err = io.ErrNoProgress
	}
	r.err = err
	return nil, err
}

func (r *Reader) consume(n int) error {
	if _, err := r.src.Discard(n); err != nil {
		r.err = err
	}
	return r.err
}
