package transport

import (
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	// BufferSize is the size of an input's and of an output's buffer, and of a scratch buffer from
	// Scratch: small enough that thousands of active connections fit, large enough that a system call
	// moves many small messages.
	BufferSize = 16 << 10

	// BulkSize is the size of the buffer that one is exchanged for while it is filled as a whole: a
	// stream gains what fewer and larger system calls give.
	BulkSize = 64 << 10

	// maxBulk is how many of those there are in the whole process (32 MiB): so many streams gain something,
	// and thousands of them, or of senders that never end, cost no more.
	maxBulk = 512
)

// bulkMade is how many there are: in use, in the pool, or left to the garbage collector and not collected.
var bulkMade atomic.Int64

var (
	buffers     = sync.Pool{New: func() any { return new([BufferSize]byte) }}
	bulkBuffers sync.Pool // of *[BulkSize]byte
)

// Scratch takes a buffer of BufferSize from the pool.
func Scratch() []byte { return buffers.Get().(*[BufferSize]byte)[:] }

// scratch takes a buffer from the pool, of BulkSize if bulk is set and there is one.
func scratch(bulk bool) []byte {
	if !bulk {
		return Scratch()
	}
	if b, ok := bulkBuffers.Get().(*[BulkSize]byte); ok {
		return b[:]
	}
	if bulkMade.Add(1) > maxBulk {
		bulkMade.Add(-1)
		return Scratch()
	}
	b := new([BulkSize]byte)
	runtime.AddCleanup(b, func(int64) { bulkMade.Add(-1) }, 0)
	return b[:]
}

// Bulk returns a buffer of BulkSize, if there is one, in exchange for b, of either size. What is in b is lost.
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
