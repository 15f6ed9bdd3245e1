package lines

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// DefaultMaxLine is how much of a line is kept unless a Reader was told otherwise: 128 KiB, which is what a record may
// have.
const DefaultMaxLine = 128 << 10

// Reader cuts a stream into lines, with a bound for the memory of each. It belongs to one goroutine.
type Reader struct {
	r    *bufio.Reader
	max  int
	line []byte
	size int64 // of the line that has begun, as far as it was read
}

// NewReader returns a Reader of r that keeps at most max bytes of a line; 0 is DefaultMaxLine.
func NewReader(r io.Reader, max int) *Reader {
	if max <= 0 {
		max = DefaultMaxLine
	}
	return &Reader{r: bufio.NewReaderSize(r, 64<<10), max: max}
}

// Line is one line of a Reader.
type Line struct {
	// Text is the line without its end, a line feed or carriage return and line feed, and without what was
	// over the limit. It is valid until the next call.
	Text []byte
	// Size is how many bytes of the stream it took, with its end.
	Size int64
	// Missing is how many bytes are not in Text because they were over the limit, with the end of the line; 0 if it fits.
	Missing int64
}

// Next returns the next line that is complete. At the end of the stream it returns io.EOF; what has begun there is kept, and
// a later call goes on, in case the stream has grown. See Rest.
func (r *Reader) Next() (Line, error) {
	if r.size == 0 {
		r.line = r.line[:0]
	}
	for {
		part, err := r.r.ReadSlice('\n')
		r.size += int64(len(part))
		r.line = append(r.line, part[:min(len(part), r.max+2-len(r.line))]...) // 2: its end, when it just fits
		switch {
		case err == nil:
			return r.take(), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return Line{}, err
		}
	}
}

// Rest returns the line that has begun before the end of the stream, if there is one, and forgets it.
func (r *Reader) Rest() (Line, bool) {
	if r.size == 0 {
		return Line{}, false
	}
	return r.take(), true
}

// Begun returns how many bytes were read of the line that has begun.
func (r *Reader) Begun() int64 { return r.size }

// HasLine reports whether Next returns a line without reading from the stream.
func (r *Reader) HasLine() bool {
	b, _ := r.r.Peek(r.r.Buffered())
	return bytes.IndexByte(b, '\n') >= 0
}

func (r *Reader) take() Line {
	text := r.line
	if r.size == int64(len(text)) {
		text = bytes.TrimSuffix(text, []byte("\n"))
		text = bytes.TrimSuffix(text, []byte("\r"))
	}
	l := Line{Text: text[:min(len(text), r.max)], Size: r.size}
	if kept := int64(len(l.Text)); len(text) > r.max || r.size > int64(len(r.line)) {
		l.Missing = r.size - kept
	}
	r.size = 0
	return l
}
