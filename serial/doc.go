// Package serial is the Serialkit wire: the codes, the block stream and what is known of a task.
// It is pure: it knows no socket and no goroutine, so that everything in it can be tested,
// fuzzed and read without either. Each protocol fact stated here is specified in
// docs/protocol.md; the section is named beside the declaration.
//
// # The exchange
//
// A client sends requests, a server answers them in order:
//
//	request  = task code (1 byte), block stream
//	response = 00 (OK), block stream
//	         | 01 (Error), error code (1 byte)
//	         | 02 (Goodbye): this task was not handled, the connection is closing
//	         | 03 (Processing): another response code follows, where it was negotiated
//
// [TaskCode], [ResponseCode] and [ErrorCode] are these bytes, with the reserved values as
// constants. A handler answers Error by returning any error that is an [ErrorCoder]; [Errorf]
// makes one.
//
// # The block stream
//
// A message of any length, unknown beforehand, travels as blocks: N (1 byte, 1 to 255), then N
// bytes. A single 00 ends it. Block boundaries carry no meaning.
//
//	03 01 02 03 01 04 00   is the message   01 02 03 04
//
// The codec comes in two layers. [AppendStream], [AppendBlocks] and [Decoder] work on byte slices
// alone. [Writer] and [Reader] put them on an io.Writer and an io.Reader; given a buffered one,
// such as a *bufio.Writer or a *bufio.Reader, they encode and decode in its buffer in place.
//
// A message that cannot be completed is never ended with 00: the reader of a cut stream sees
// [io.ErrUnexpectedEOF], never a short valid message. So a Writer that fails half-way is simply
// not closed.
package serial
