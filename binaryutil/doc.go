// Package binaryutil reads and writes typed values over any io.Reader and io.Writer: integers,
// floats, booleans, strings, bytes, times and durations, in a byte order that both sides have
// agreed on outside the wire. The encodings are specified in docs/protocol.md, "Typed values":
//
//	bool              1 byte, 00 or 01
//	int8 … uint64     1, 2, 4 or 8 bytes in the byte order, two's complement
//	float32, float64  4 or 8 bytes in the byte order, IEEE 754
//	string, bytes     uint32 length in bytes, then the bytes; a string may hold any bytes
//	duration          int64 nanoseconds
//	time              int64 seconds since 1970-01-01 UTC, then uint32 nanoseconds below 1e9
//
// [NewReader] and [NewWriter] work over any reader and writer, [Buffer] is both over memory.
//
// The first error of a reader or writer sticks: what follows does nothing and returns it again. So
// a message of ten values needs one check:
//
//	id, _ := in.ReadUint32()
//	name, _ := in.ReadString()
//	at, _ := in.ReadTime()
//	if err := in.Finish(); err != nil {
//		return nil, err // cut, malformed, too large or too long
//	}
//
// No input makes a reader panic, and a length prefix alone makes it allocate next to nothing: its
// memory grows as the bytes arrive, up to a limit.
package binaryutil
