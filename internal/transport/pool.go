package transport

import "sync"

const (
	// BufferSize is the size of an input's and of an output's buffer, and of a scratch buffer from
	// Scratch: small enough that thousands of active connections fit, large enough that a system call
	// moves many small messages.
	BufferSize = 16 << 10

	// BulkSize is the size of the buffer that one is exchanged for while it is filled as a whole: a
	// stream gains what fewer and larger system calls give.
	BulkSize = 64 << 10
)

var (
	buffers     = sync.Pool{New: func() any { return new([BufferSize]byte) }}
	bulkBuffers = sync.Pool{New: func() any { return new([BulkSize]byte) }}
)

// Scratch takes a buffer of BufferSize from the pool.
func Scratch() []byte { return buffers.Get().(*[BufferSize]byte)[:] }

// scratch takes a buffer from the pool, of BulkSize if bulk is set.
func scratch(bulk bool) []byte {
	if bulk {
		return bulkBuffers.Get().(*[BulkSize]byte)[:]
	}
	return Scratch()
}

// Bulk returns a buffer of BulkSize in exchange for b, of either size. What is in b is lost.
func Bulk(b []byte) []byte {
	if len(b) == BulkSize {
		return b
	}
	Release(b)
	return scratch(true)
}

// Release returns a buffer to the pool. The caller keeps no slice of it.
func Release(b []byte) {
	if len(b) == BulkSize {
		bulkBuffers.Put((*[BulkSize]byte)(b))
		return
	}
	buffers.Put((*[BufferSize]byte)(b))
}
