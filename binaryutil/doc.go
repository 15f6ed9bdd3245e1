// Package binaryutil reads and writes typed values, such as fixed integers, floats, strings and
// times, over any io.Reader and io.Writer. It knows nothing of connections and tasks.
//
// # Reading
//
// A [Reader] decodes from an io.Reader. The first error sticks: every later read returns it with a
// zero value and consumes nothing. So a message is read value by value and checked once:
//
//	id, _ := in.ReadUint64()
//	name, _ := in.ReadString()
//	at, _ := in.ReadTime()
//	if err := in.Finish(); err != nil {
//		return nil, err
//	}
//
// Finish returns nil exactly if every read succeeded and no byte is left. What else an error says:
//
//   - io.EOF: the message ended before the first byte of the value. A loop over a list of items
//     ends so in front of an item's first value; at another one the message is too short.
//   - io.ErrUnexpectedEOF: the message ended inside the value.
//   - [ErrTooLarge], as a [*TooLargeError]: a length prefix above the limit.
//   - [ErrMalformed]: bytes that encode no value.
//   - [ErrTrailingBytes]: Finish found another byte.
//   - io.ErrNoProgress: the source returns neither bytes nor an error, again and again.
//   - Anything else is the source's own error, as it is.
//
// # Writing
//
// A [Writer] encodes to an io.Writer. Its first error sticks as well, and after it nothing more is
// written. A [Buffer] is a BinaryWriter and a BinaryReader in memory: a handler builds its answer in
// one and returns it as an io.Reader.
//
// # The encodings
//
// They are specified in docs/protocol.md, section "Typed values":
//
//	bool              1 byte      00 or 01; any other is malformed
//	int8, uint8       1 byte      two's complement
//	int16, uint16     2 bytes     in the byte order
//	int32, uint32     4 bytes     in the byte order
//	int64, uint64     8 bytes     in the byte order
//	float32, float64  4, 8 bytes  IEEE 754, in the byte order
//	duration          8 bytes     int64 nanoseconds
//	time              12 bytes    int64 seconds since 1970-01-01 00:00:00 UTC, then
//	                              uint32 nanoseconds; above 999999999 is malformed
//	bytes, string     4+n bytes   uint32 n, then n bytes; a string need not be UTF-8
//
// No encoding says its type or the byte order. Both sides agree on the byte order outside the wire,
// once per connection. Everything here takes a nil order as big-endian.
//
// # Memory
//
// Fixed-size values allocate nothing. A length prefix is only believed as its bytes arrive: memory
// grows with them, to about four times their number at the most plus a constant, whatever the prefix
// says. [BinaryReader.SetLimit] bounds the prefix itself, [DefaultLimit] if it is not called.
//
// Nothing here is safe for concurrent use.
package binaryutil
