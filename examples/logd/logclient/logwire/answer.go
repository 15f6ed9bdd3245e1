package logwire

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// AppendAnswer says that a batch is stored and durable.
//
//	0      StatusOK
//	1      1: stored by this call, 0: it had been stored before
//	2..9   the producer's mark: the sequence number of its last batch that is stored
//	10..17 the id of the batch's first record, 0 if it had been stored before
type AppendAnswer struct {
	// Stored is false if the batch had been stored by an earlier call.
	Stored bool
	// Mark is the sequence number of the producer's last batch that is stored.
	Mark uint64
	// FirstID is the id of the first record; those of the others follow it.
	FirstID uint64
}

// AppendTo appends the encoded answer.
func (a AppendAnswer) AppendTo(dst []byte) []byte {
	dst = append(dst, byte(StatusOK), flag(a.Stored))
	dst = binary.BigEndian.AppendUint64(dst, a.Mark)
	return binary.BigEndian.AppendUint64(dst, a.FirstID)
}

// GapError is StatusGap: the batch does not follow the producer's last one. Nothing was stored.
type GapError struct {
	// Expected is the sequence number that would.
	Expected uint64
}

// Error names the expected sequence number.
func (e *GapError) Error() string { return fmt.Sprintf("logwire: gap, expected %d", e.Expected) }

// FencedError is StatusFenced: the producer has begun a later epoch. Nothing was stored.
type FencedError struct {
	// Epoch is that epoch.
	Epoch uint64
}

// Error names the epoch.
func (e *FencedError) Error() string {
	return fmt.Sprintf("logwire: fenced, the producer's epoch is %d", e.Epoch)
}

// ReadOnlyError is StatusReadOnly: the store takes no records for now. Nothing was stored.
type ReadOnlyError struct {
	// Reason says why, such as "disk space below 512 MiB".
	Reason string
}

// Error names the reason.
func (e *ReadOnlyError) Error() string { return "logwire: read-only: " + e.Reason }

// AppendError appends the answer for an error of this package: *FieldError, *GapError, *FencedError or *ReadOnlyError.
// It reports false, and appends nothing, for any other.
func AppendError(dst []byte, err error) ([]byte, bool) {
	switch e := err.(type) {
	case *FieldError:
		dst = append(dst, byte(StatusInvalid), byte(max(0, slices.Index(kinds[:], e.Kind))))
		dst = binary.BigEndian.AppendUint32(dst, uint32(int32(e.Record)))
		dst = appendText(dst, e.Field)
		return appendText(dst, e.Detail), true
	case *GapError:
		return binary.BigEndian.AppendUint64(append(dst, byte(StatusGap)), e.Expected), true
	case *FencedError:
		return binary.BigEndian.AppendUint64(append(dst, byte(StatusFenced)), e.Epoch), true
	case *ReadOnlyError:
		return appendText(append(dst, byte(StatusReadOnly)), e.Reason), true
	}
	return dst, false
}

// ParseAppendAnswer decodes the answer of TaskAppend. An answer that refuses the batch is returned as the error that
// AppendError encodes; an answer that means nothing as a *FieldError with the field "answer".
func ParseAppendAnswer(b []byte) (a AppendAnswer, err error) {
	if len(b) == 1+1+8+8 && Status(b[0]) == StatusOK && b[1] <= 1 {
		return AppendAnswer{b[1] == 1, binary.BigEndian.Uint64(b[2:]), binary.BigEndian.Uint64(b[10:])}, nil
	}
	if len(b) == 0 || Status(b[0]) == StatusOK {
		return a, badAnswer(b)
	}
	return a, ParseError(b)
}

// ParseError decodes an answer that begins with another status than StatusOK. It never returns nil.
func ParseError(b []byte) error {
	if len(b) == 0 {
		return badAnswer(b)
	}
	switch rest := b[1:]; Status(b[0]) {
	case StatusInvalid:
		return parseFieldError(b)
	case StatusGap:
		if len(rest) == 8 {
			return &GapError{binary.BigEndian.Uint64(rest)}
		}
	case StatusFenced:
		if len(rest) == 8 {
			return &FencedError{binary.BigEndian.Uint64(rest)}
		}
	case StatusReadOnly:
		if reason, rest, ok := cutText(rest); ok && len(rest) == 0 {
			return &ReadOnlyError{reason}
		}
	}
	return badAnswer(b)
}

func parseFieldError(b []byte) error {
	if len(b) < 6 || b[1] == 0 || int(b[1]) >= len(kinds) {
		return badAnswer(b)
	}
	e := &FieldError{Record: int(int32(binary.BigEndian.Uint32(b[2:]))), Kind: kinds[b[1]]}
	var ok bool
	rest := b[6:]
	if e.Field, rest, ok = cutText(rest); !ok {
		return badAnswer(b)
	}
	if e.Detail, rest, ok = cutText(rest); !ok || len(rest) > 0 {
		return badAnswer(b)
	}
	return e
}

func cutText(b []byte) (text string, rest []byte, ok bool) {
	if len(b) < 2 {
		return "", b, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if len(b)-2 < n {
		return "", b, false
	}
	return string(b[2 : 2+n]), b[2+n:], true
}

func badAnswer(b []byte) error {
	return fail(ErrMalformed, "answer", "%d bytes: % x", len(b), b[:min(len(b), 16)])
}
