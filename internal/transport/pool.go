package transport

import "sync"

// BufferSize is the size of an input's and of an output's buffer, and of a scratch buffer from
// Scratch: small enough that thousands of active connections fit, large enough that a system call
// moves many small messages.
const BufferSize = 16 << 10

var buffers = sync.Pool{New: func() any { return new([BufferSize]byte) }}

// Scratch takes a buffer from the pool.
func Scratch() *[BufferSize]byte { return buffers.Get().(*[BufferSize]byte) }

// Release returns a buffer to the pool. The caller keeps no slice of it.
func Release(b *[BufferSize]byte) { buffers.Put(b) }
