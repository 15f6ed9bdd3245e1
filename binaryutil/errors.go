package binaryutil

import (
	"errors"
	"fmt"
)

// The errors of this package. A read or a write may also return what its source or destination
// returned, or one of the errors of package io that the package comment lists.
var (
	// ErrTooLarge is what a *TooLargeError is, for errors.Is.
	ErrTooLarge = errors.New("binaryutil: length too large")

	// ErrMalformed is wrapped by the error of a read whose bytes encode no value.
	ErrMalformed = errors.New("binaryutil: malformed value")

	// ErrWriteAfterEnd is returned by a Buffer's writes, and then by its reads, after a typed read met its
	// end: Reset it first.
	ErrWriteAfterEnd = errors.New("binaryutil: write to a Buffer that was read beyond its end")
	// ErrTrailingBytes is returned by Finish when the message has not been read to its end.
	ErrTrailingBytes = errors.New("binaryutil: trailing bytes")
)

// TooLargeError says that a string or slice is longer than is allowed. Nothing of its payload was
// read or written. errors.Is finds it to be [ErrTooLarge].
type TooLargeError struct {
	Size  uint64 // bytes, without the length prefix
	Limit uint64 // the most bytes that are allowed
}

// Error returns the message, with both numbers.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("binaryutil: length %d exceeds the limit of %d bytes", e.Size, e.Limit)
}

// Is reports whether target is ErrTooLarge.
func (e *TooLargeError) Is(target error) bool { return target == ErrTooLarge }
