package main

import "encoding/binary"

// A payload begins with one of these, its op, and goes on with letters, which none of them is.
const (
	opEcho   = '0' // echo the payload
	opDeep   = '1' // the same, 64 KiB down the stack
	opUp     = '2' // 8 bytes n follow; read n more bytes, then echo the 9
	opDown   = '3' // 8 bytes n follow; send n bytes
	opFramed = '4' // echo the 1 byte; from then on every payload has a 4-byte length before it
)

// chunkSize is the size of the pieces of a stream, in bytes.
const chunkSize = 64 << 10

// newPayload returns a payload of size bytes.
func newPayload(op byte, size int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = 'a' + byte(i%23)
	}
	p[0] = op
	return p
}

// streamRequest is the payload that begins a stream of n bytes.
func streamRequest(op byte, n int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{op}, uint64(n))
}

// streamLen returns the n of a streamRequest.
func streamLen(p []byte) int64 { return int64(binary.BigEndian.Uint64(p[1:9])) }

// work is what each server does with a payload before it echoes it: nothing, or a deep stack.
func work(p []byte) {
	if len(p) > 0 && p[0] == opDeep {
		deep(64)
	}
}

// deep uses levels KiB of stack.
//
//go:noinline
func deep(levels int) byte {
	var frame [1 << 10]byte
	if levels == 0 {
		return frame[0]
	}
	frame[levels] = deep(levels - 1)
	return frame[levels]
}
