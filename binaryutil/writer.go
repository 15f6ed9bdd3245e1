package binaryutil

import (
	"encoding/binary"
	"io"
)

// Writer is a [BinaryWriter] to an io.Writer. Each value is one Write, a string or slice two: its
// length and its bytes. It keeps nothing back, so give it a buffered destination.
//
// The zero Writer must be Reset before it is used.
type Writer struct {
	dst     io.Writer
	order   binary.ByteOrder // nil is big-endian
	err     error            // the first error; sticks
	scratch [maxFixed]byte   // of the value that is being written
}

// NewWriter returns a Writer to w. A nil order is big-endian.
func NewWriter(w io.Writer, order binary.ByteOrder) *Writer {
	return &Writer{dst: w, order: order}
}

// Reset makes w as NewWriter would, without an error. It allocates nothing.
func (w *Writer) Reset(dst io.Writer, order binary.ByteOrder) {
	*w = Writer{dst: dst, order: order}
}

// ByteOrder returns the byte order that w was made with. It is never nil.
func (w *Writer) ByteOrder() binary.ByteOrder { return orDefault(w.order) }

// Err returns the sticky error, or nil.
func (w *Writer) Err() error { return w.err }

// Write writes raw bytes. A short write without an error is io.ErrShortWrite. Every error sticks. If
// p is empty the destination is not touched.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil || len(p) == 0 {
		return 0, w.err
	}
	n, err := w.dst.Write(p)
	return n, w.wrote(n, len(p), err)
}

// wrote keeps the outcome of a write of size bytes to the destination.
func (w *Writer) wrote(n, size int, err error) error {
	if err == nil && n != size {
		err = io.ErrShortWrite
	}
	w.err = err
	return err
}

// fixed writes the first n bytes of the scratch space.
func (w *Writer) fixed(n int) error {
	_, err := w.Write(w.scratch[:n])
	return err
}
