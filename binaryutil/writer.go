package binaryutil

import (
	"encoding/binary"
	"io"
	"math"
	"time"
)

// Writer is a BinaryWriter over an io.Writer. It does not buffer. Its methods are not safe for
// concurrent use. Make one with NewWriter, or Reset a zero one.
type Writer struct {
	w       io.Writer
	order   binary.ByteOrder
	err     error
	scratch [12]byte
}

// NewWriter returns a Writer to w; a nil order means big-endian.
func NewWriter(w io.Writer, order binary.ByteOrder) *Writer {
	writer := new(Writer)
	writer.Reset(w, order)
	return writer
}

// Reset makes w as NewWriter returns it for destination. It allocates nothing.
func (w *Writer) Reset(destination io.Writer, order binary.ByteOrder) {
	w.w, w.order, w.err = destination, orBigEndian(order), nil
}

// ByteOrder implements BinaryWriter.
func (w *Writer) ByteOrder() binary.ByteOrder { return w.order }

// Err implements BinaryWriter.
func (w *Writer) Err() error { return w.err }

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	w.err = err
	return n, err
}

// fixed writes the first n bytes of the scratch space.
func (w *Writer) fixed(n int) error {
	w.Write(w.scratch[:n])
	return w.err
}

// WriteBool implements BinaryWriter.
func (w *Writer) WriteBool(v bool) error {
	if v {
		return w.WriteUint8(1)
	}
	return w.WriteUint8(0)
}

// WriteInt8 implements BinaryWriter.
func (w *Writer) WriteInt8(v int8) error { return w.WriteUint8(uint8(v)) }

// WriteInt16 implements BinaryWriter.
func (w *Writer) WriteInt16(v int16) error { return w.WriteUint16(uint16(v)) }

// WriteInt32 implements BinaryWriter.
func (w *Writer) WriteInt32(v int32) error { return w.WriteUint32(uint32(v)) }

// WriteInt64 implements BinaryWriter.
func (w *Writer) WriteInt64(v int64) error { return w.WriteUint64(uint64(v)) }

// WriteUint8 implements BinaryWriter.
func (w *Writer) WriteUint8(v uint8) error {
	w.scratch[0] = v
	return w.fixed(1)
}

// WriteUint16 implements BinaryWriter.
func (w *Writer) WriteUint16(v uint16) error {
	w.order.PutUint16(w.scratch[:], v)
	return w.fixed(2)
}

// WriteUint32 implements BinaryWriter.
func (w *Writer) WriteUint32(v uint32) error {
	w.order.PutUint32(w.scratch[:], v)
	return w.fixed(4)
}

// WriteUint64 implements BinaryWriter.
func (w *Writer) WriteUint64(v uint64) error {
	w.order.PutUint64(w.scratch[:], v)
	return w.fixed(8)
}

// WriteFloat32 implements BinaryWriter.
func (w *Writer) WriteFloat32(v float32) error { return w.WriteUint32(math.Float32bits(v)) }

// WriteFloat64 implements BinaryWriter.
func (w *Writer) WriteFloat64(v float64) error { return w.WriteUint64(math.Float64bits(v)) }

// WriteDuration implements BinaryWriter.
func (w *Writer) WriteDuration(v time.Duration) error { return w.WriteInt64(int64(v)) }

// WriteTime implements BinaryWriter.
func (w *Writer) WriteTime(v time.Time) error {
	w.order.PutUint64(w.scratch[:], uint64(v.Unix()))
	w.order.PutUint32(w.scratch[8:], uint32(v.Nanosecond()))
	return w.fixed(12)
}

// WriteString implements BinaryWriter.
func (w *Writer) WriteString(v string) error {
	if w.length(len(v)) == nil {
		n, err := io.WriteString(w.w, v)
		if err == nil && n < len(v) {
			err = io.ErrShortWrite
		}
		w.err = err
	}
	return w.err
}

// WriteBytes implements BinaryWriter.
func (w *Writer) WriteBytes(v []byte) error {
	if w.length(len(v)) == nil {
		w.Write(v)
	}
	return w.err
}

// length writes a length prefix.
func (w *Writer) length(n int) error {
	if uint64(n) > math.MaxUint32 && w.err == nil {
		w.err = &TooLargeError{Size: uint64(n), Limit: math.MaxUint32}
	}
	return w.WriteUint32(uint32(n))
}
