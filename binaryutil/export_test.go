package binaryutil

// ChunkSize is where reading a string or slice begins to grow its memory.
const ChunkSize = chunkSize

// WriteLength writes the length prefix of n bytes, because a test has no 4 GiB to spare.
func (w *Writer) WriteLength(n uint64) error { return w.length(n) }

// WriteLength is that of the Writer.
func (b *Buffer) WriteLength(n uint64) error { return b.out().length(n) }
