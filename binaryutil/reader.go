package binaryutil

import (
	"encoding/binary"
	"io"
)

// maxEmptyReads is how many reads in a row may give neither a byte nor an error. It is bufio's.
const maxEmptyReads = 100

// Reader is a [BinaryReader] of an io.Reader. It takes no byte from it beyond the value that is
// read, so both may be used in turn; give it a buffered source.
//
// Reset makes the zero Reader ready for use; without it, it reads an empty message.
type Reader struct {
	src     io.Reader
	order   binary.ByteOrder // nil is big-endian
	limit   int              // 0 is DefaultLimit
	err     error            // the first error; sticks
	pending error            // came along with the last bytes of src, for the next read
	scratch [maxFixed]byte   // of the value that is being read
}

// NewReader returns a Reader of r. A nil order is big-endian.
func NewReader(r io.Reader, order binary.ByteOrder) *Reader {
	return &Reader{src: r, order: order}
}

// Reset makes r as NewReader would: without an error and with the default limit. It allocates
// nothing.
func (r *Reader) Reset(src io.Reader, order binary.ByteOrder) {
	*r = Reader{src: src, order: order}
}

// ByteOrder returns the byte order that r was made with. It is never nil.
func (r *Reader) ByteOrder() binary.ByteOrder { return orDefault(r.order) }

// SetLimit sets the largest length prefix, in bytes, that is accepted from now on. n <= 0 means
// DefaultLimit. Reset forgets it.
func (r *Reader) SetLimit(n int) { r.limit = max(n, 0) }

// Err returns the sticky error, or nil.
func (r *Reader) Err() error { return r.err }

// Read reads up to len(p) raw bytes. After a sticky error it returns that. An io.EOF of its own does
// not stick, any other error does. If p is empty the source is not touched.
func (r *Reader) Read(p []byte) (int, error) {
	if r.err != nil || len(p) == 0 {
		return 0, r.err
	}
	n, err := r.next(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// Finish returns nil if the message was read to its end without an error, [ErrTrailingBytes] if
// there was another byte, which is lost, or the sticky error.
func (r *Reader) Finish() error {
	if r.err != nil {
		return r.err
	}
	switch _, err := r.next(r.scratch[:1]); err {
	case nil:
		r.err = ErrTrailingBytes
	case io.EOF:
	default:
		r.err = err
	}
	return r.err
}

// fail makes err the sticky error.
func (r *Reader) fail(err error) error {
	r.err = err
	return err
}

// fixed reads a value of n bytes. They are valid until the next read, and zero if it fails, so that
// the value they encode is too.
func (r *Reader) fixed(n int) ([]byte, error) {
	b := r.scratch[:n]
	if r.err == nil {
		r.err = r.full(b)
	}
	if r.err != nil {
		clear(b)
	}
	return b, r.err
}

// full fills p. The error is io.EOF only if there was no byte at all.
func (r *Reader) full(p []byte) error {
	for n := 0; n < len(p); {
		m, err := r.next(p[n:])
		if err == io.EOF && n > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		n += m
	}
	return nil
}

// next reads at least one byte into p, which is not empty, or returns an error, never both.
func (r *Reader) next(p []byte) (int, error) {
	if r.src == nil {
		return 0, io.EOF
	}
	if r.pending != nil {
		return 0, r.pending
	}
	for range maxEmptyReads {
		n, err := r.src.Read(p)
		if n > 0 {
			if err != nil {
				r.pending = err
			}
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}
