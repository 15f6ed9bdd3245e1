package binaryutil

import (
	"io"
	"time"
)

// ReadBool reads 1 byte. Any but 0 and 1 is [ErrMalformed].
func (b *Buffer) ReadBool() (bool, error) { return b.in().ReadBool() }

// ReadInt8 reads 1 byte.
func (b *Buffer) ReadInt8() (int8, error) { return b.in().ReadInt8() }

// ReadInt16 reads 2 bytes in the byte order.
func (b *Buffer) ReadInt16() (int16, error) { return b.in().ReadInt16() }

// ReadInt32 reads 4 bytes in the byte order.
func (b *Buffer) ReadInt32() (int32, error) { return b.in().ReadInt32() }

// ReadInt64 reads 8 bytes in the byte order.
func (b *Buffer) ReadInt64() (int64, error) { return b.in().ReadInt64() }

// ReadUint8 reads 1 byte.
func (b *Buffer) ReadUint8() (uint8, error) { return b.in().ReadUint8() }

// ReadUint16 reads 2 bytes in the byte order.
func (b *Buffer) ReadUint16() (uint16, error) { return b.in().ReadUint16() }

// ReadUint32 reads 4 bytes in the byte order.
func (b *Buffer) ReadUint32() (uint32, error) { return b.in().ReadUint32() }

// ReadUint64 reads 8 bytes in the byte order.
func (b *Buffer) ReadUint64() (uint64, error) { return b.in().ReadUint64() }

// ReadFloat32 reads 4 bytes in the byte order.
func (b *Buffer) ReadFloat32() (float32, error) { return b.in().ReadFloat32() }

// ReadFloat64 reads 8 bytes in the byte order.
func (b *Buffer) ReadFloat64() (float64, error) { return b.in().ReadFloat64() }

// ReadDuration reads 8 bytes, nanoseconds, in the byte order.
func (b *Buffer) ReadDuration() (time.Duration, error) { return b.in().ReadDuration() }

// ReadTime reads 12 bytes, seconds and nanoseconds, in the byte order. The time is in UTC. More than
// 999999999 nanoseconds are [ErrMalformed].
func (b *Buffer) ReadTime() (time.Time, error) { return b.in().ReadTime() }

// ReadString reads a length prefix and as many bytes, which need not be UTF-8. If fewer are left it
// fails with io.ErrUnexpectedEOF at once.
func (b *Buffer) ReadString() (string, error) {
	p, err := b.payload()
	return string(p), err
}

// ReadBytes is ReadString for a slice, which is new and the caller's, for good. It is empty but not
// nil if the length is 0.
func (b *Buffer) ReadBytes() ([]byte, error) {
	p, err := b.payload()
	if err != nil {
		return nil, err
	}
	return append(make([]byte, 0, len(p)), p...), nil
}

// payload takes a length prefix and as many bytes, valid until the next write.
func (b *Buffer) payload() ([]byte, error) {
	r := b.in()
	n, err := r.length()
	if err != nil {
		return nil, err
	}
	if n > b.Len() {
		return nil, r.fail(io.ErrUnexpectedEOF)
	}
	return b.mem.Next(n), nil
}

// WriteBool writes 1 byte, 0 or 1.
func (b *Buffer) WriteBool(v bool) error { return b.out().WriteBool(v) }

// WriteInt8 writes 1 byte.
func (b *Buffer) WriteInt8(v int8) error { return b.out().WriteInt8(v) }

// WriteInt16 writes 2 bytes in the byte order.
func (b *Buffer) WriteInt16(v int16) error { return b.out().WriteInt16(v) }

// WriteInt32 writes 4 bytes in the byte order.
func (b *Buffer) WriteInt32(v int32) error { return b.out().WriteInt32(v) }

// WriteInt64 writes 8 bytes in the byte order.
func (b *Buffer) WriteInt64(v int64) error { return b.out().WriteInt64(v) }

// WriteUint8 writes 1 byte.
func (b *Buffer) WriteUint8(v uint8) error { return b.out().WriteUint8(v) }

// WriteUint16 writes 2 bytes in the byte order.
func (b *Buffer) WriteUint16(v uint16) error { return b.out().WriteUint16(v) }

// WriteUint32 writes 4 bytes in the byte order.
func (b *Buffer) WriteUint32(v uint32) error { return b.out().WriteUint32(v) }

// WriteUint64 writes 8 bytes in the byte order.
func (b *Buffer) WriteUint64(v uint64) error { return b.out().WriteUint64(v) }

// WriteFloat32 writes 4 bytes in the byte order.
func (b *Buffer) WriteFloat32(v float32) error { return b.out().WriteFloat32(v) }

// WriteFloat64 writes 8 bytes in the byte order.
func (b *Buffer) WriteFloat64(v float64) error { return b.out().WriteFloat64(v) }

// WriteDuration writes 8 bytes, nanoseconds, in the byte order.
func (b *Buffer) WriteDuration(v time.Duration) error { return b.out().WriteDuration(v) }

// WriteTime writes 12 bytes, seconds and nanoseconds, in the byte order.
func (b *Buffer) WriteTime(v time.Time) error { return b.out().WriteTime(v) }

// WriteString writes the length of v and then v. More than math.MaxUint32 bytes are a
// [*TooLargeError].
func (b *Buffer) WriteString(v string) error { return b.out().WriteString(v) }

// WriteBytes writes the length of v and then v, which is not kept. More than math.MaxUint32 bytes
// are a [*TooLargeError].
func (b *Buffer) WriteBytes(v []byte) error { return b.out().WriteBytes(v) }
