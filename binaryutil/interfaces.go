package binaryutil

import (
	"encoding/binary"
	"io"
	"time"
)

// BinaryReader reads typed values. [Reader] and [Buffer] implement it.
//
// All methods share one error. The first that a typed read meets sticks: that read and all later
// ones, the raw Read included, return it with a zero value and consume nothing more. It is io.EOF if
// there was no byte of the value at all, and io.ErrUnexpectedEOF if there was but not all of it.
type BinaryReader interface {
	// Read reads raw bytes, as every io.Reader. An io.EOF that it meets does not stick, so that Err
	// is nil after io.Copy has reached the end; any other error does.
	io.Reader

	// ByteOrder returns the order in which multi-byte values are read. It is never nil.
	ByteOrder() binary.ByteOrder

	// ReadBool reads 1 byte: 0 is false, 1 is true, any other is ErrMalformed.
	ReadBool() (bool, error)

	ReadInt8() (int8, error)
	ReadInt16() (int16, error)
	ReadInt32() (int32, error)
	ReadInt64() (int64, error)
	ReadUint8() (uint8, error)
	ReadUint16() (uint16, error)
	ReadUint32() (uint32, error)
	ReadUint64() (uint64, error)

	// ReadFloat32 and ReadFloat64 read IEEE 754 values, infinities and NaNs among them.
	ReadFloat32() (float32, error)
	ReadFloat64() (float64, error)

	// ReadString reads a length prefix and as many bytes. They are not checked to be UTF-8. A
	// length above the limit is a *TooLargeError; a payload that is cut short, or missing
	// altogether, is io.ErrUnexpectedEOF.
	ReadString() (string, error)

	// ReadBytes is ReadString for a slice. The slice is new and the caller's, for good; it is empty
	// but not nil if the length is 0.
	ReadBytes() ([]byte, error)

	// ReadTime reads seconds and nanoseconds. The time is in UTC and has no monotonic part; the
	// zero time.Time is read as it was written. Nanoseconds above 999999999 are ErrMalformed. All
	// seconds are taken, as by time.Unix.
	ReadTime() (time.Time, error)

	// ReadDuration reads int64 nanoseconds.
	ReadDuration() (time.Duration, error)

	// SetLimit sets the largest length prefix, in bytes, that ReadString and ReadBytes accept from
	// now on. n <= 0 means DefaultLimit.
	SetLimit(n int)

	// Finish returns nil exactly if the message was read to its end without an error. If at least
	// one byte is left it returns ErrTrailingBytes, which sticks; after an earlier error, that
	// error. It reads at most one byte from the source.
	Finish() error

	// Err returns the sticky error, or nil.
	Err() error
}

// BinaryWriter writes typed values. [Writer] and [Buffer] implement it.
//
// All methods share one error. The first sticks: all later writes, the raw Write included, return it
// and write nothing. So a sequence of writes is checked once, by the last or by Err.
type BinaryWriter interface {
	// Write writes raw bytes, without a length prefix.
	io.Writer

	// ByteOrder returns the order in which multi-byte values are written. It is never nil.
	ByteOrder() binary.ByteOrder

	// WriteBool writes 1 byte: 0 for false, 1 for true.
	WriteBool(v bool) error

	WriteInt8(v int8) error
	WriteInt16(v int16) error
	WriteInt32(v int32) error
	WriteInt64(v int64) error
	WriteUint8(v uint8) error
	WriteUint16(v uint16) error
	WriteUint32(v uint32) error
	WriteUint64(v uint64) error

	// WriteFloat32 and WriteFloat64 write IEEE 754 values, infinities and NaNs bit for bit.
	WriteFloat32(v float32) error
	WriteFloat64(v float64) error

	// WriteString writes the length of v in bytes and then v. It is not checked to be UTF-8. More
	// than math.MaxUint32 bytes are a *TooLargeError, and nothing is written; the reader's own limit
	// is usually far lower.
	WriteString(v string) error

	// WriteBytes is WriteString for a slice, which is not kept. nil is written as an empty one.
	WriteBytes(v []byte) error

	// WriteTime writes the instant v as seconds and nanoseconds. Its location and its monotonic part
	// are lost.
	WriteTime(v time.Time) error

	// WriteDuration writes int64 nanoseconds.
	WriteDuration(v time.Duration) error

	// Err returns the sticky error, or nil.
	Err() error
}

var (
	_ BinaryReader = (*Reader)(nil)
	_ BinaryReader = (*Buffer)(nil)
	_ BinaryWriter = (*Writer)(nil)
	_ BinaryWriter = (*Buffer)(nil)
)
