package binaryutil

import (
	"bytes"
	"encoding/binary"
	"io"
)

// Buffer is a BinaryWriter and a BinaryReader over memory: what is written to it can be read from
// it. A TaskFunc builds its answer in one and returns it; as the Buffer knows its length, the
// answer is sent in as few writes as possible.
//
// Make one with NewBuffer. Its methods are not safe for concurrent use, and it must not be copied.
type Buffer struct {
	data bytes.Buffer
	reader
	writer
}

// The two halves, under names that do not show in the Buffer.
type (
	reader = Reader
	writer = Writer
)

// NewBuffer returns a Buffer that holds b, which belongs to it from now on and may be nil; a nil
// order means big-endian.
func NewBuffer(order binary.ByteOrder, b []byte) *Buffer {
	buf := &Buffer{data: *bytes.NewBuffer(b)}
	buf.reader.Reset(&buf.data, order)
	buf.writer.Reset(&buf.data, order)
	return buf
}

// ByteOrder implements BinaryReader and BinaryWriter.
func (b *Buffer) ByteOrder() binary.ByteOrder { return b.reader.ByteOrder() }

// Err returns the first error of reading, or else of writing.
func (b *Buffer) Err() error {
	if err := b.reader.Err(); err != nil {
		return err
	}
	return b.writer.Err()
}

// Len returns how many bytes have been written and not been read.
func (b *Buffer) Len() int { return b.data.Len() }

// Bytes returns those bytes. The slice is valid until the next write or Reset.
func (b *Buffer) Bytes() []byte { return b.data.Bytes() }

// Reset empties the Buffer, keeps its memory and forgets its errors.
func (b *Buffer) Reset() {
	b.data.Reset()
	b.reader.Reset(&b.data, b.ByteOrder())
	b.writer.Reset(&b.data, b.ByteOrder())
}

// WriteTo writes what has not been read to w. It implements io.WriterTo.
func (b *Buffer) WriteTo(w io.Writer) (int64, error) {
	if err := b.reader.Err(); err != nil {
		return 0, err
	}
	return b.data.WriteTo(w)
}
