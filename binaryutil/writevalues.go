package binaryutil

import (
	"io"
	"math"
	"time"
)

// WriteBool writes 1 byte, 0 or 1.
func (w *Writer) WriteBool(v bool) error {
	if v {
		return w.WriteUint8(1)
	}
	return w.WriteUint8(0)
}

// WriteInt8 writes 1 byte.
func (w *Writer) WriteInt8(v int8) error { return w.WriteUint8(uint8(v)) }

// WriteInt16 writes 2 bytes in the byte order.
func (w *Writer) WriteInt16(v int16) error { return w.WriteUint16(uint16(v)) }

// WriteInt32 writes 4 bytes in the byte order.
func (w *Writer) WriteInt32(v int32) error { return w.WriteUint32(uint32(v)) }

// WriteInt64 writes 8 bytes in the byte order.
func (w *Writer) WriteInt64(v int64) error { return w.WriteUint64(uint64(v)) }

// WriteUint8 writes 1 byte.
func (w *Writer) WriteUint8(v uint8) error {
	w.scratch[0] = v
	return w.fixed(size8)
}

// WriteUint16 writes 2 bytes in the byte order.
func (w *Writer) WriteUint16(v uint16) error {
	w.ByteOrder().PutUint16(w.scratch[:], v)
	return w.fixed(size16)
}

// WriteUint32 writes 4 bytes in the byte order.
func (w *Writer) WriteUint32(v uint32) error {
	w.ByteOrder().PutUint32(w.scratch[:], v)
	return w.fixed(size32)
}

// WriteUint64 writes 8 bytes in the byte order.
func (w *Writer) WriteUint64(v uint64) error {
	w.ByteOrder().PutUint64(w.scratch[:], v)
	return w.fixed(size64)
}

// WriteFloat32 writes 4 bytes in the byte order.
func (w *Writer) WriteFloat32(v float32) error { return w.WriteUint32(math.Float32bits(v)) }

// WriteFloat64 writes 8 bytes in the byte order.
func (w *Writer) WriteFloat64(v float64) error { return w.WriteUint64(math.Float64bits(v)) }

// WriteDuration writes 8 bytes, nanoseconds, in the byte order.
func (w *Writer) WriteDuration(v time.Duration) error { return w.WriteInt64(int64(v)) }

// WriteTime writes 12 bytes, seconds and nanoseconds, in the byte order.
func (w *Writer) WriteTime(v time.Time) error {
	w.ByteOrder().PutUint64(w.scratch[:], uint64(v.Unix()))
	w.ByteOrder().PutUint32(w.scratch[size64:], uint32(v.Nanosecond()))
	return w.fixed(sizeTime)
}

// WriteString writes the length of v and then v. More than math.MaxUint32 bytes are a
// [*TooLargeError]. If the destination is an io.StringWriter nothing is allocated.
func (w *Writer) WriteString(v string) error {
	if err := w.length(uint64(len(v))); err != nil || len(v) == 0 {
		return err
	}
	n, err := io.WriteString(w.dst, v)
	return w.wrote(n, len(v), err)
}

// WriteBytes writes the length of v and then v, which is not kept. More than math.MaxUint32 bytes
// are a [*TooLargeError].
func (w *Writer) WriteBytes(v []byte) error {
	if err := w.length(uint64(len(v))); err != nil {
		return err
	}
	_, err := w.Write(v)
	return err
}

// length writes the length prefix of n bytes.
func (w *Writer) length(n uint64) error {
	if w.err == nil && n > math.MaxUint32 {
		w.err = &TooLargeError{Size: n, Limit: math.MaxUint32}
	}
	return w.WriteUint32(uint32(n)) // which returns the sticky error
}
