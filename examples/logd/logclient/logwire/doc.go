// Package logwire is the wire of logd, a log collector on Serialkit: records, batches of them, and the
// requests and answers of its four tasks. It is pure: no socket, no clock, no goroutine. What is stated here
// byte for byte is specified in examples/logd/docs/protocol.md.
//
// All numbers are big-endian. A text is its length and its bytes, which are valid UTF-8; the width of the
// length is given with each.
//
// The decoders never panic, take no memory that the input has not paid for, and return a *FieldError that
// names the field. A View and what is read from it are parts of the decoded slice: valid as long as that is,
// and not to be changed.
package logwire
