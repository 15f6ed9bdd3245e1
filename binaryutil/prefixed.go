package binaryutil

import (
	"io"
	"slices"
)

// firstPiece is how much is allocated for a string or byte slice before any of it has arrived; what
// has arrived is doubled from there.
const firstPiece = 512

// ReadString implements BinaryReader.
func (r *Reader) ReadString() (string, error) {
	n, err := r.length()
	if err != nil {
		return "", err
	}
	if n <= len(r.scratch) {
		p, err := r.payload(r.scratch[:0], n)
		return string(p), err
	}
	p, err := r.payload(nil, n)
	return string(p), err
}

// ReadBytes implements BinaryReader.
func (r *Reader) ReadBytes() ([]byte, error) {
	n, err := r.length()
	if err != nil {
		return nil, err
	}
	return r.payload(nil, n)
}

// length reads a length prefix and holds it to the limit.
func (r *Reader) length() (int, error) {
	v, err := r.ReadUint32()
	if err != nil {
		return 0, err
	}
	limit := r.limit
	if limit == 0 {
		limit = DefaultLimit
	}
	if uint64(v) > uint64(limit) {
		r.err = &TooLargeError{Size: uint64(v), Limit: uint64(limit)}
	}
	return int(v), r.err
}

// payload reads the n bytes behind a length prefix, appended to p, which is empty. Its memory grows
// with what arrives, not with what was announced.
func (r *Reader) payload(p []byte, n int) ([]byte, error) {
	for len(p) < n {
		if len(p) == cap(p) {
			p = slices.Grow(p, min(n-len(p), max(len(p), firstPiece)))
		}
		piece := p[len(p):min(cap(p), n)]
		k, err := r.fill(piece)
		p = p[:len(p)+k]
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			r.err = err
			return nil, err
		}
	}
	return p, nil
}
