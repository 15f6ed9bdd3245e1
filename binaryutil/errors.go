package binaryutil

import (
	"errors"
	"fmt"
)

// The errors of values that are not what they should be, for errors.Is.
var (
	// ErrMalformed: a value has an encoding that no writer makes.
	ErrMalformed = errors.New("binaryutil: malformed value")
	// ErrTooLarge: a string or byte slice is longer than the limit; see TooLargeError.
	ErrTooLarge = errors.New("binaryutil: length over the limit")
	// ErrTrailingBytes: Finish has found a byte after the last value.
	ErrTrailingBytes = errors.New("binaryutil: bytes after the last value")
)

// TooLargeError is the ErrTooLarge of one string or byte slice.
type TooLargeError struct {
	// Size is its length, and Limit what is allowed, in bytes.
	Size, Limit uint64
}

// Error returns both numbers.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("binaryutil: length %d over the limit of %d bytes", e.Size, e.Limit)
}

// Is reports whether target is ErrTooLarge.
func (e *TooLargeError) Is(target error) bool { return target == ErrTooLarge }
