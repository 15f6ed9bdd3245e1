package logwire

import (
	"encoding/binary"
	"unicode/utf8"
)

// QueryRequest asks for stored records.
//
//	0        Version
//	1        1: newest first, 0: oldest first
//	2..5     limit, 0 for DefaultLimit
//	6..13    cursor, 0 for none
//	14..15   length of the text
//	16..     text
type QueryRequest struct {
	// NewestFirst turns the order, which is that of ingestion, around.
	NewestFirst bool
	// Limit is how many records are wanted, at most MaxLimit; 0 is DefaultLimit.
	Limit int
	// Cursor is where to begin: the cursor of the End frame before. 0 is the beginning. Oldest first it
	// is the id of the first record that is looked at, newest first that of the last one that is not.
	Cursor uint64
	// Text is the query, of at most MaxQuery bytes; empty matches everything.
	Text string
}

const queryHead = 1 + 1 + 4 + 8 + 2

// AppendQueryRequest appends the encoded request. A text over MaxQuery is refused by the collector.
func AppendQueryRequest(dst []byte, q QueryRequest) []byte {
	dst = append(dst, Version, flag(q.NewestFirst))
	dst = binary.BigEndian.AppendUint32(dst, uint32(q.Limit))
	dst = binary.BigEndian.AppendUint64(dst, q.Cursor)
	return appendText(dst, q.Text)
}

// ParseQueryRequest decodes a request. The error is a *FieldError. A limit of 0 becomes DefaultLimit.
func ParseQueryRequest(b []byte) (q QueryRequest, err error) {
	if len(b) < queryHead {
		return q, fail(ErrMalformed, "query", "%d bytes", len(b))
	}
	limit := binary.BigEndian.Uint32(b[2:])
	switch {
	case b[0] != Version:
		return q, fail(ErrMalformed, "version", "%d", b[0])
	case b[1] > 1:
		return q, fail(ErrMalformed, "order", "%d", b[1])
	case limit > MaxLimit:
		return q, tooLarge("limit", int(limit), MaxLimit)
	case limit == 0:
		limit = DefaultLimit
	}
	q = QueryRequest{NewestFirst: b[1] == 1, Limit: int(limit), Cursor: binary.BigEndian.Uint64(b[6:])}
	q.Text, err = parseText(b[14:])
	return q, err
}

// TailRequest asks for records as they are stored.
//
//	0      Version
//	1..8   cursor, 0 for now
//	9..10  length of the text
//	11..   text
type TailRequest struct {
	// Cursor is the id of the first record that is looked at; 0 is the next one that will be stored.
	Cursor uint64
	// Text is the query, of at most MaxQuery bytes; empty matches everything.
	Text string
}

const tailHead = 1 + 8 + 2

// AppendTailRequest appends the encoded request. A text over MaxQuery is refused by the collector.
func AppendTailRequest(dst []byte, t TailRequest) []byte {
	dst = append(dst, Version)
	dst = binary.BigEndian.AppendUint64(dst, t.Cursor)
	return appendText(dst, t.Text)
}

// ParseTailRequest decodes a request. The error is a *FieldError.
func ParseTailRequest(b []byte) (t TailRequest, err error) {
	if len(b) < tailHead {
		return t, fail(ErrMalformed, "tail", "%d bytes", len(b))
	}
	if b[0] != Version {
		return t, fail(ErrMalformed, "version", "%d", b[0])
	}
	t.Cursor = binary.BigEndian.Uint64(b[1:])
	t.Text, err = parseText(b[9:])
	return t, err
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// appendText appends a text with a 2-byte length; what is longer than that can say is cut, and is over every limit.
func appendText(dst []byte, s string) []byte {
	s = s[:min(len(s), 1<<16-1)]
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}

// parseText decodes the query text that b ends with.
func parseText(b []byte) (string, error) {
	n := int(binary.BigEndian.Uint16(b))
	switch text := b[2:]; {
	case len(text) != n:
		return "", fail(ErrMalformed, "text", "%d bytes instead of %d", len(text), n)
	case n > MaxQuery:
		return "", tooLarge("text", n, MaxQuery)
	case !utf8.Valid(text):
		return "", fail(ErrUTF8, "text", "")
	default:
		return string(text), nil
	}
}
