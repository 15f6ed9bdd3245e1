package serial

import (
	"bufio"
	"errors"
	"io"
)

// ErrWriterClosed is what a Writer returns after Close.
var ErrWriterClosed = errors.New("serial: write to a closed block stream")

// Sink is a buffered writer that blocks are encoded into in place. *bufio.Writer is one: its
// documentation defines the methods.
type Sink interface {
	io.Writer
	Available() int
	AvailableBuffer() []byte
}

// writerBuffer is the buffer of a Writer that was not given a Sink: 64 full blocks.
const writerBuffer = 64 * fullBlock

// Writer encodes what is written to it as one block stream. It writes full blocks of 255 bytes,
// whatever the sizes it is given, and many of them at a time.
//
// The zero Writer is ready for Reset. The methods of a Writer are not safe for concurrent use. After the first error it stays in
// error: the stream is cut and must not be continued.
type Writer struct {
	dst Sink
	own *bufio.Writer // dst, where NewWriter made it

	open [fullBlock]byte // the block being filled: room for its length byte, then its bytes
	n    int             // bytes in the open block, below MaxBlock between calls
	err  error           // the first error, or ErrWriterClosed
}

// NewWriter returns a Writer to w. If w is a [Sink], blocks are encoded into its buffer and the
// caller flushes it; otherwise the Writer buffers 16 KiB by itself, and Flush and Close write
// that out.
func NewWriter(w io.Writer) *Writer {
	if dst, ok := w.(Sink); ok {
		return &Writer{dst: dst}
	}
	own := bufio.NewWriterSize(w, writerBuffer)
	return &Writer{dst: own, own: own}
}

// Reset makes w the Writer of a new block stream to dst, which it does not flush. What the old
// stream still held is dropped. It allocates nothing.
func (w *Writer) Reset(dst Sink) {
	w.dst, w.own, w.n, w.err = dst, nil, 0, nil
}

// Write appends p to the message. It keeps no reference to p. With an error it returns how many bytes of p
// it took, of which an unknown part was written.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	written := 0
	for {
		if w.n == 0 && len(p) >= MaxBlock {
			n := w.full(p)
			written += n
			p = p[n:]
		}
		n := copy(w.open[1+w.n:], p)
		w.n += n
		written += n
		p = p[n:]
		if w.n == MaxBlock {
			w.closeBlock()
		}
		if len(p) == 0 || w.err != nil {
			return written, w.err
		}
	}
}

// full encodes as many full blocks of p as fit into dst's buffer, which may be none, and returns
// how many bytes of p they hold.
func (w *Writer) full(p []byte) int {
	blocks := min(len(p)/MaxBlock, w.dst.Available()/fullBlock)
	if blocks == 0 {
		return 0
	}
	p = p[:blocks*MaxBlock]
	if _, err := w.dst.Write(AppendBlocks(w.dst.AvailableBuffer(), p)); err != nil {
		w.err = err
	}
	return len(p)
}

// closeBlock writes the open block, if it has any bytes, to dst.
func (w *Writer) closeBlock() {
	if w.n == 0 || w.err != nil {
		return
	}
	w.open[0] = byte(w.n)
	_, w.err = w.dst.Write(w.open[:1+w.n])
	w.n = 0
}

// Flush ends the open block, so that everything written so far is in the Sink, or, for a Writer
// that was made over a plain io.Writer, has been written to that.
func (w *Writer) Flush() error {
	w.closeBlock()
	w.flushOwn()
	return w.err
}

// Close ends the message with the 00 and flushes as Flush does. It does not close the underlying
// writer. A second Close returns ErrWriterClosed. Do not call it on a message that could not be
// completed: without it the receiver sees io.ErrUnexpectedEOF, which is the truth.
func (w *Writer) Close() error {
	w.closeBlock()
	if w.err != nil {
		return w.err
	}
	end := AppendEnd(w.open[:0])
	_, w.err = w.dst.Write(end)
	w.flushOwn()
	if w.err != nil {
		return w.err
	}
	w.err = ErrWriterClosed
	return nil
}

func (w *Writer) flushOwn() {
	if w.own != nil && w.err == nil {
		w.err = w.own.Flush()
	}
}
