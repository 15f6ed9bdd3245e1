package binaryutil_test

import (
	"math"
	"time"

	"github.com/serialkit/serialkit/binaryutil"
)

// value is one value of one type and its exact encodings.
type value struct {
	name        string
	big, little string // hex
	want        any
	read        func(binaryutil.BinaryReader) (any, error)
	write       func(binaryutil.BinaryWriter) error
}

// of makes a value from the methods that read and write it.
func of[T any](name, big, little string, v T,
	read func(binaryutil.BinaryReader) (T, error), write func(binaryutil.BinaryWriter, T) error,
) value {
	return value{
		name: name, big: big, little: little, want: v,
		read:  func(r binaryutil.BinaryReader) (any, error) { return read(r) },
		write: func(w binaryutil.BinaryWriter) error { return write(w, v) },
	}
}

type (
	in  = binaryutil.BinaryReader
	out = binaryutil.BinaryWriter
)

// values are encoded as docs/protocol.md, "Typed values", says; its examples are among them.
var values = []value{
	of("false", "00", "00", false, in.ReadBool, out.WriteBool),
	of("true", "01", "01", true, in.ReadBool, out.WriteBool),
	of("int8", "80", "80", int8(math.MinInt8), in.ReadInt8, out.WriteInt8),
	of("int16", "fffe", "feff", int16(-2), in.ReadInt16, out.WriteInt16),
	of("int32", "80000001", "01000080", int32(math.MinInt32+1), in.ReadInt32, out.WriteInt32),
	of("int64", "fffffffffffffffe", "feffffffffffffff", int64(-2), in.ReadInt64, out.WriteInt64),
	of("uint8", "ff", "ff", uint8(255), in.ReadUint8, out.WriteUint8),
	of("uint16", "0102", "0201", uint16(258), in.ReadUint16, out.WriteUint16),
	of("uint32", "00000102", "02010000", uint32(258), in.ReadUint32, out.WriteUint32),
	of("uint64", "0102030405060708", "0807060504030201", uint64(0x0102030405060708),
		in.ReadUint64, out.WriteUint64),
	of("float32", "c0490fdb", "db0f49c0", float32(-math.Pi), in.ReadFloat32, out.WriteFloat32),
	of("float32 infinity", "7f800000", "0000807f", float32(math.Inf(1)), in.ReadFloat32, out.WriteFloat32),
	of("float64", "3ff8000000000000", "000000000000f83f", 1.5, in.ReadFloat64, out.WriteFloat64),
	of("float64 negative zero", "8000000000000000", "0000000000000080", math.Copysign(0, -1),
		in.ReadFloat64, out.WriteFloat64),
	of("string", "0000000368c3a9", "0300000068c3a9", "hé", in.ReadString, out.WriteString),
	of("string, empty", "00000000", "00000000", "", in.ReadString, out.WriteString),
	of("string, not UTF-8", "00000002fffe", "02000000fffe", "\xff\xfe", in.ReadString, out.WriteString),
	of("bytes", "00000003010203", "03000000010203", []byte{1, 2, 3}, in.ReadBytes, out.WriteBytes),
	of("bytes, empty", "00000000", "00000000", []byte{}, in.ReadBytes, out.WriteBytes),
	of("duration", "000000003b9aca00", "00ca9a3b00000000", time.Second, in.ReadDuration, out.WriteDuration),
	of("duration, negative", "ffffffffffffffff", "ffffffffffffffff", -time.Nanosecond,
		in.ReadDuration, out.WriteDuration),
	of("time", "0000000000000001 1dcd6500", "0100000000000000 0065cd1d", time.Unix(1, 5e8).UTC(),
		in.ReadTime, out.WriteTime),
	of("time, before the epoch", "ffffffffffffffff 3b9ac9ff", "ffffffffffffffff ffc99a3b",
		time.Unix(-1, 999_999_999).UTC(), in.ReadTime, out.WriteTime),
	of("time, zero", "fffffff1886e0900 00000000", "00096e88f1ffffff 00000000", time.Time{},
		in.ReadTime, out.WriteTime),
}
