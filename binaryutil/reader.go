package binaryutil

import (
	"encoding/binary"
	"io"
	"math"
	"time"
)

// Reader is a BinaryReader over an io.Reader. It does not read ahead. Its methods are not safe for
// concurrent use. Make one with NewReader, or Reset a zero one.
type Reader struct {
	r       io.Reader
	order   binary.ByteOrder
	limit   int // 0: DefaultLimit
	err     error
	scratch [12]byte
}

// NewReader returns a Reader of r; a nil order means big-endian.
func NewReader(r io.Reader, order binary.ByteOrder) *Reader {
	reader := new(Reader)
	reader.Reset(r, order)
	return reader
}

// Reset makes r as NewReader returns it for source. It allocates nothing.
func (r *Reader) Reset(source io.Reader, order binary.ByteOrder) {
	r.r, r.order, r.limit, r.err = source, orBigEndian(order), 0, nil
}

func orBigEndian(order binary.ByteOrder) binary.ByteOrder {
	if order == nil {
		return binary.BigEndian
	}
	return order
}

// ByteOrder implements BinaryReader.
func (r *Reader) ByteOrder() binary.ByteOrder { return r.order }

// SetLimit implements BinaryReader.
func (r *Reader) SetLimit(bytes int) { r.limit = max(bytes, 0) }

// Err implements BinaryReader.
func (r *Reader) Err() error { return r.err }

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// Finish implements BinaryReader.
func (r *Reader) Finish() error {
	if r.err != nil {
		return r.err
	}
	switch _, err := r.fill(r.scratch[:1]); err {
	case nil:
		r.err = ErrTrailingBytes
	case io.EOF:
	default:
		r.err = err
	}
	return r.err
}

// emptyReads is how many times in a row a source may return neither byte nor error.
const emptyReads = 100

// fill reads all of p. It returns io.EOF if there is no byte at all, io.ErrUnexpectedEOF if there
// are too few.
func (r *Reader) fill(p []byte) (n int, err error) {
	for empty := 0; n < len(p); empty++ {
		k, err := r.r.Read(p[n:])
		n += k
		switch {
		case n == len(p):
		case err == io.EOF && n > 0:
			return n, io.ErrUnexpectedEOF
		case err != nil:
			return n, err
		case k > 0:
			empty = -1
		case empty == emptyReads:
			return n, io.ErrNoProgress
		}
	}
	return n, nil
}

// fixed reads the next n bytes, at most the size of the scratch space, in which they are valid
// until the next read. After an error they are zero.
func (r *Reader) fixed(n int) ([]byte, error) {
	p := r.scratch[:n]
	if r.err == nil {
		_, r.err = r.fill(p)
	}
	if r.err != nil {
		clear(p)
	}
	return p, r.err
}

// malformed makes ErrMalformed the error.
func (r *Reader) malformed() error {
	r.err = ErrMalformed
	return r.err
}

// ReadBool implements BinaryReader.
func (r *Reader) ReadBool() (bool, error) {
	b, err := r.ReadUint8()
	if b > 1 {
		return false, r.malformed()
	}
	return b == 1, err
}

// ReadInt8 implements BinaryReader.
func (r *Reader) ReadInt8() (int8, error) {
	v, err := r.ReadUint8()
	return int8(v), err
}

// ReadInt16 implements BinaryReader.
func (r *Reader) ReadInt16() (int16, error) {
	v, err := r.ReadUint16()
	return int16(v), err
}

// ReadInt32 implements BinaryReader.
func (r *Reader) ReadInt32() (int32, error) {
	v, err := r.ReadUint32()
	return int32(v), err
}

// ReadInt64 implements BinaryReader.
func (r *Reader) ReadInt64() (int64, error) {
	v, err := r.ReadUint64()
	return int64(v), err
}

// ReadUint8 implements BinaryReader.
func (r *Reader) ReadUint8() (uint8, error) {
	p, err := r.fixed(1)
	return p[0], err
}

// ReadUint16 implements BinaryReader.
func (r *Reader) ReadUint16() (uint16, error) {
	p, err := r.fixed(2)
	return r.order.Uint16(p), err
}

// ReadUint32 implements BinaryReader.
func (r *Reader) ReadUint32() (uint32, error) {
	p, err := r.fixed(4)
	return r.order.Uint32(p), err
}

// ReadUint64 implements BinaryReader.
func (r *Reader) ReadUint64() (uint64, error) {
	p, err := r.fixed(8)
	return r.order.Uint64(p), err
}

// ReadFloat32 implements BinaryReader.
func (r *Reader) ReadFloat32() (float32, error) {
	v, err := r.ReadUint32()
	return math.Float32frombits(v), err
}

// ReadFloat64 implements BinaryReader.
func (r *Reader) ReadFloat64() (float64, error) {
	v, err := r.ReadUint64()
	return math.Float64frombits(v), err
}

// ReadDuration implements BinaryReader.
func (r *Reader) ReadDuration() (time.Duration, error) {
	v, err := r.ReadInt64()
	return time.Duration(v), err
}

// ReadTime implements BinaryReader.
func (r *Reader) ReadTime() (time.Time, error) {
	p, err := r.fixed(12)
	if err != nil {
		return time.Time{}, err
	}
	sec, nsec := int64(r.order.Uint64(p)), r.order.Uint32(p[8:])
	if nsec >= 1e9 {
		return time.Time{}, r.malformed()
	}
	return time.Unix(sec, int64(nsec)).UTC(), nil
}
