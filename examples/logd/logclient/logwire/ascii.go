package logwire

import "encoding/binary"

// isASCII reports whether all bytes are below 0x80. Most records are so, their short texts one by one take longer.
func isASCII(b []byte) bool {
	const high = 0x8080808080808080
	var all uint64
	for ; len(b) >= 8; b = b[8:] {
		all |= binary.LittleEndian.Uint64(b)
	}
	for _, c := range b {
		all |= uint64(c)
	}
	return all&high == 0
}
