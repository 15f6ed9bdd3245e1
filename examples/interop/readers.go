package main

import (
	"context"
	"errors"
	"io"
	"math"
)

// period is that of the pattern: byte i is i mod 251. As a prime it is out of step with blocks and
// buffers, so that a byte in the wrong place shows.
const period = 251

// pattern reads as so many bytes of the pattern.
type pattern struct {
	left uint64 // bytes still to come
	next byte
}

func (r *pattern) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(uint64(len(p)), r.left)]
	for i := range p {
		p[i] = r.next
		r.next = (r.next + 1) % period
	}
	r.left -= uint64(len(p))
	return len(p), nil
}

// sizedPattern is a pattern that knows its length. By that the server sees that it is no live
// stream, and sends it in as few writes as possible.
type sizedPattern struct{ pattern }

// Len returns how many bytes are left, as far as an int can say.
func (r *sizedPattern) Len() int { return int(min(r.left, math.MaxInt)) }

// ticking reads as a pattern, one byte at a time.
type ticking struct {
	ctx   context.Context
	ms    uint32 // before each byte, milliseconds
	bytes pattern
}

func (r *ticking) Read(p []byte) (int, error) {
	if r.bytes.left == 0 {
		return 0, io.EOF
	}
	if err := wait(r.ctx, r.ms); err != nil {
		return 0, err
	}
	return r.bytes.Read(p[:1])
}

// failing fails.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("broken as it was told") }
