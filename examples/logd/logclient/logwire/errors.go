package logwire

import (
	"errors"
	"fmt"
)

// The kinds of a FieldError, for errors.Is.
var (
	// ErrMalformed: bytes that mean nothing, or that end too early.
	ErrMalformed = errors.New("logwire: malformed")
	// ErrTooLarge: over one of the limits of this package.
	ErrTooLarge = errors.New("logwire: over the limit")
	// ErrUTF8: a text that is not valid UTF-8.
	ErrUTF8 = errors.New("logwire: invalid UTF-8")
	// ErrTime: a time too far in the future or in the past.
	ErrTime = errors.New("logwire: time out of range")
	// ErrQuery: a query that cannot be understood.
	ErrQuery = errors.New("logwire: bad query")
)

// The codes of the kinds on the wire.
var kinds = [...]error{1: ErrMalformed, 2: ErrTooLarge, 3: ErrUTF8, 4: ErrTime, 5: ErrQuery}

// NoRecord is FieldError.Record where the error is not that of one record.
const NoRecord = -1

// FieldError is what is wrong with a request, and where.
type FieldError struct {
	// Record is the index of the record in its batch, or NoRecord.
	Record int
	// Field names the field: "batch", "service", "fields[2].key", "query", ...
	Field string
	// Kind is one of ErrMalformed, ErrTooLarge, ErrUTF8, ErrTime and ErrQuery; errors.Is finds it.
	Kind error
	// Detail says more: the actual value and the limit, for instance.
	Detail string
}

// Error names the record, the field, the kind and the detail.
func (e *FieldError) Error() string {
	where := e.Field
	if e.Record != NoRecord {
		where = fmt.Sprintf("record %d: %s", e.Record, e.Field)
	}
	if e.Detail == "" {
		return fmt.Sprintf("%v: %s", e.Kind, where)
	}
	return fmt.Sprintf("%v: %s: %s", e.Kind, where, e.Detail)
}

// Unwrap returns the kind.
func (e *FieldError) Unwrap() error { return e.Kind }

func fail(kind error, field, format string, args ...any) *FieldError {
	return &FieldError{Record: NoRecord, Field: field, Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

func tooLarge(field string, n, limit int) *FieldError {
	return fail(ErrTooLarge, field, "%d, and the limit is %d", n, limit)
}
