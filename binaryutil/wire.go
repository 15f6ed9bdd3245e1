package binaryutil

import "encoding/binary"

// DefaultLimit is the largest length prefix, in bytes, that a BinaryReader accepts unless SetLimit
// says otherwise: 4 MiB.
const DefaultLimit = 4 << 20

// The encoded sizes, in bytes (docs/protocol.md, "Typed values").
const (
	size8    = 1
	size16   = 2
	size32   = 4
	size64   = 8
	sizeTime = size64 + size32 // seconds, nanoseconds
	maxFixed = sizeTime
)

// maxNanoseconds is the largest nanosecond part of a time.
const maxNanoseconds = 999_999_999

// orDefault returns order, or big-endian for nil.
func orDefault(order binary.ByteOrder) binary.ByteOrder {
	if order == nil {
		return binary.BigEndian
	}
	return order
}
