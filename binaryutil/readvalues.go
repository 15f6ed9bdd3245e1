package binaryutil

import (
	"fmt"
	"math"
	"time"
)

// ReadBool reads 1 byte. Any but 0 and 1 is [ErrMalformed].
func (r *Reader) ReadBool() (bool, error) {
	v, err := r.ReadUint8()
	if v > 1 {
		err = r.fail(fmt.Errorf("%w: bool 0x%02x", ErrMalformed, v))
	}
	return v == 1, err
}

// ReadInt8 reads 1 byte.
func (r *Reader) ReadInt8() (int8, error) {
	v, err := r.ReadUint8()
	return int8(v), err
}

// ReadInt16 reads 2 bytes in the byte order.
func (r *Reader) ReadInt16() (int16, error) {
	v, err := r.ReadUint16()
	return int16(v), err
}

// ReadInt32 reads 4 bytes in the byte order.
func (r *Reader) ReadInt32() (int32, error) {
	v, err := r.ReadUint32()
	return int32(v), err
}

// ReadInt64 reads 8 bytes in the byte order.
func (r *Reader) ReadInt64() (int64, error) {
	v, err := r.ReadUint64()
	return int64(v), err
}

// ReadUint8 reads 1 byte.
func (r *Reader) ReadUint8() (uint8, error) {
	b, err := r.fixed(size8)
	return b[0], err
}

// ReadUint16 reads 2 bytes in the byte order.
func (r *Reader) ReadUint16() (uint16, error) {
	b, err := r.fixed(size16)
	return r.ByteOrder().Uint16(b), err
}

// ReadUint32 reads 4 bytes in the byte order.
func (r *Reader) ReadUint32() (uint32, error) {
	b, err := r.fixed(size32)
	return r.ByteOrder().Uint32(b), err
}

// ReadUint64 reads 8 bytes in the byte order.
func (r *Reader) ReadUint64() (uint64, error) {
	b, err := r.fixed(size64)
	return r.ByteOrder().Uint64(b), err
}

// ReadFloat32 reads 4 bytes in the byte order.
func (r *Reader) ReadFloat32() (float32, error) {
	v, err := r.ReadUint32()
	return math.Float32frombits(v), err
}

// ReadFloat64 reads 8 bytes in the byte order.
func (r *Reader) ReadFloat64() (float64, error) {
	v, err := r.ReadUint64()
	return math.Float64frombits(v), err
}

// ReadDuration reads 8 bytes, nanoseconds, in the byte order.
func (r *Reader) ReadDuration() (time.Duration, error) {
	v, err := r.ReadInt64()
	return time.Duration(v), err
}

// ReadTime reads 12 bytes, seconds and nanoseconds, in the byte order. The time is in UTC. More than
// 999999999 nanoseconds are [ErrMalformed].
func (r *Reader) ReadTime() (time.Time, error) {
	b, err := r.fixed(sizeTime)
	if err != nil {
		return time.Time{}, err
	}
	seconds := int64(r.ByteOrder().Uint64(b))
	nanoseconds := r.ByteOrder().Uint32(b[size64:])
	if nanoseconds > maxNanoseconds {
		return time.Time{}, r.fail(fmt.Errorf("%w: time with %d nanoseconds", ErrMalformed, nanoseconds))
	}
	return time.Unix(seconds, int64(nanoseconds)).UTC(), nil
}
