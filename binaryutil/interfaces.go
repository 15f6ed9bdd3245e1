package binaryutil

import (
	"encoding/binary"
	"io"
	"time"
)

// DefaultLimit is the longest string or byte slice, in bytes, that is read unless SetLimit says
// otherwise: 4 MiB.
const DefaultLimit = 4 << 20

// BinaryReader reads typed values. [Reader] and [Buffer] are BinaryReaders.
//
// A typed read returns io.EOF if there is no byte left at all, and io.ErrUnexpectedEOF if the
// value is cut. Its errors stick, see Err. A typed read that fails returns the zero value.
type BinaryReader interface {
	// Read reads bytes as they are. Its io.EOF does not stick, its other errors do.
	io.Reader
	// ByteOrder returns the byte order of the values.
	ByteOrder() binary.ByteOrder
	// SetLimit sets the longest string or byte slice, in bytes, that is read from now on; 0 or
	// less means DefaultLimit.
	SetLimit(bytes int)

	// ReadBool reads one byte, 0 or 1; any other is ErrMalformed.
	ReadBool() (bool, error)
	ReadInt8() (int8, error)
	ReadInt16() (int16, error)
	ReadInt32() (int32, error)
	ReadInt64() (int64, error)
	ReadUint8() (uint8, error)
	ReadUint16() (uint16, error)
	ReadUint32() (uint32, error)
	ReadUint64() (uint64, error)
	ReadFloat32() (float32, error)
	ReadFloat64() (float64, error)
	// ReadString reads a uint32 length and as many bytes, which need not be UTF-8. A length above
	// the limit is a *TooLargeError.
	ReadString() (string, error)
	// ReadBytes is ReadString for a byte slice, which is the caller's.
	ReadBytes() ([]byte, error)
	// ReadTime reads a time to the nanosecond, in UTC.
	ReadTime() (time.Time, error)
	ReadDuration() (time.Duration, error)

	// Finish returns nil if everything was read without an error and there is nothing more. It
	// reads one byte to find out: if there is one, the error is ErrTrailingBytes.
	Finish() error
	// Err returns the first error, nil if there was none.
	Err() error
}

// BinaryWriter writes typed values. [Writer] and [Buffer] are BinaryWriters. The first error
// sticks: nothing is written after it, and all methods return it.
type BinaryWriter interface {
	// Write writes bytes as they are.
	io.Writer
	// ByteOrder returns the byte order of the values.
	ByteOrder() binary.ByteOrder

	WriteBool(bool) error
	WriteInt8(int8) error
	WriteInt16(int16) error
	WriteInt32(int32) error
	WriteInt64(int64) error
	WriteUint8(uint8) error
	WriteUint16(uint16) error
	WriteUint32(uint32) error
	WriteUint64(uint64) error
	WriteFloat32(float32) error
	WriteFloat64(float64) error
	// WriteString writes the length as a uint32 and the bytes. A longer one is a *TooLargeError.
	WriteString(string) error
	// WriteBytes is WriteString for a byte slice, which is not kept.
	WriteBytes([]byte) error
	// WriteTime writes a time to the nanosecond, without its location.
	WriteTime(time.Time) error
	WriteDuration(time.Duration) error

	// Err returns the first error, nil if there was none.
	Err() error
}

var (
	_ BinaryReader = (*Reader)(nil)
	_ BinaryWriter = (*Writer)(nil)
	_ BinaryReader = (*Buffer)(nil)
	_ BinaryWriter = (*Buffer)(nil)
)
