package binaryutil

import (
	"bytes"
	"encoding/binary"
	"io"
)

// Buffer is a [BinaryWriter] and a [BinaryReader] of one queue of bytes in memory: what is written
// at its end is read from its beginning. The zero Buffer is empty, big-endian and ready for use.
//
// Its reads and writes share one sticky error. So an answer that could not be built whole, returned
// as an io.Reader, fails rather than look complete. The io.EOF of a typed read sticks as well: a write
// after it fails with [ErrWriteAfterEnd], which sticks in its place, until Reset.
type Buffer struct {
	mem bytes.Buffer
	r   Reader // of mem, by in
	w   Writer // to mem, by out
}

// NewBuffer returns a Buffer that holds b, for instance to decode it. b belongs to the Buffer from
// now on, and may be nil. A nil order is big-endian.
func NewBuffer(order binary.ByteOrder, b []byte) *Buffer {
	return &Buffer{mem: *bytes.NewBuffer(b), r: Reader{order: order}, w: Writer{order: order}}
}

// in returns the reader of the queue.
func (b *Buffer) in() *Reader {
	b.r.src, b.r.err = &b.mem, b.Err()
	return &b.r
}

// out returns the writer to the queue.
func (b *Buffer) out() *Writer {
	if b.Err() == io.EOF { // as which a reader would take what was built for complete
		b.r.err, b.w.err = ErrWriteAfterEnd, nil
	}
	b.w.dst, b.w.err = &b.mem, b.Err()
	return &b.w
}

// ByteOrder returns the byte order that b was made with. It is never nil.
func (b *Buffer) ByteOrder() binary.ByteOrder { return b.r.ByteOrder() }

// SetLimit sets the largest length prefix, in bytes, that is accepted from now on. n <= 0 means
// DefaultLimit. Reset keeps it.
func (b *Buffer) SetLimit(n int) { b.r.SetLimit(n) }

// Err returns the first error of a read or a write, or nil.
func (b *Buffer) Err() error {
	if b.r.err != nil {
		return b.r.err
	}
	return b.w.err
}

// Len returns how many bytes are unread.
func (b *Buffer) Len() int { return b.mem.Len() }

// Bytes returns the unread bytes, valid until the next write or Reset. They are the Buffer's own
// memory: to change them is to change what will be read.
func (b *Buffer) Bytes() []byte { return b.mem.Bytes() }

// Reset empties b and forgets its error. It keeps the memory, the byte order and the limit.
func (b *Buffer) Reset() {
	b.mem.Reset()
	b.r.err, b.w.err = nil, nil
}

// Read reads up to len(p) raw bytes, or returns io.EOF if there is none, which does not stick. After
// a sticky error it returns that.
func (b *Buffer) Read(p []byte) (int, error) { return b.in().Read(p) }

// Write appends raw bytes, without a length prefix. p is not kept.
func (b *Buffer) Write(p []byte) (int, error) { return b.out().Write(p) }

// WriteTo writes the unread bytes to dst, in one Write, and takes from b what was written. An error
// of dst does not stick. After a sticky error it writes nothing and returns that, as Read does.
func (b *Buffer) WriteTo(dst io.Writer) (int64, error) {
	switch err := b.Err(); err {
	case nil:
		return b.mem.WriteTo(dst)
	case io.EOF: // there was nothing left, and no write since
		return 0, nil
	default:
		return 0, err
	}
}

// Finish returns nil if b was read to its end without an error, [ErrTrailingBytes] if a byte is left,
// or the sticky error. It consumes nothing.
func (b *Buffer) Finish() error {
	if b.Err() == nil && b.Len() > 0 {
		b.r.err = ErrTrailingBytes
	}
	return b.Err()
}
