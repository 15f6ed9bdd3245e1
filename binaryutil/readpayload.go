package binaryutil

import (
	"io"
	"sync"
)

// chunkSize is the most memory, in bytes, that is taken on the word of a length prefix alone. A
// string up to it is read in one allocation.
const chunkSize = 1024

var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// ReadString reads a length prefix and as many bytes, which need not be UTF-8.
func (r *Reader) ReadString() (string, error) {
	n, err := r.length()
	if err != nil {
		return "", err
	}
	if n > chunkSize {
		b, err := r.payload(n)
		return string(b), err
	}
	chunk := chunks.Get().(*[chunkSize]byte)
	defer chunks.Put(chunk)
	if err := r.body(chunk[:n]); err != nil {
		return "", err
	}
	return string(chunk[:n]), nil
}

// ReadBytes reads a length prefix and as many bytes. The slice is new and the caller's, for good;
// it is empty but not nil if the length is 0.
func (r *Reader) ReadBytes() ([]byte, error) {
	n, err := r.length()
	if err != nil {
		return nil, err
	}
	return r.payload(n)
}

// length reads a length prefix and holds it against the limit.
func (r *Reader) length() (int, error) {
	n, err := r.ReadUint32()
	if err != nil {
		return 0, err
	}
	limit := uint64(r.limit)
	if limit == 0 {
		limit = DefaultLimit
	}
	if uint64(n) > limit {
		return 0, r.fail(&TooLargeError{Size: uint64(n), Limit: limit})
	}
	return int(n), nil
}

// payload reads n bytes into a new slice. It doubles the slice each time it is full, so that all
// that it allocates is less than four times what arrived, plus chunkSize.
func (r *Reader) payload(n int) ([]byte, error) {
	b := make([]byte, min(n, chunkSize))
	for have := 0; ; {
		if err := r.body(b[have:]); err != nil {
			return nil, err
		}
		if have = len(b); have == n {
			return b, nil
		}
		grown := make([]byte, min(n, 2*have))
		copy(grown, b)
		b = grown
	}
}

// body fills p with bytes that a length prefix has promised.
func (r *Reader) body(p []byte) error {
	err := r.full(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	r.err = err
	return err
}
