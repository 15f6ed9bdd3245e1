package logwire

import "time"

// The limits of records and batches. A limit is the largest value that is accepted.
const (
	// MaxService bounds the service of a record, in bytes. It is at least 1: every record has a service.
	MaxService = 128
	// MaxHost bounds the host of a record, in bytes. It may be empty.
	MaxHost = 255
	// MaxMessage bounds the message of a record: 64 KiB.
	MaxMessage = 64 << 10
	// MaxFields is how many fields a record may have.
	MaxFields = 64
	// MaxKey bounds the key of a field, in bytes. It is at least 1.
	MaxKey = 128
	// MaxValue bounds the value of a field: 32 KiB.
	MaxValue = 32 << 10
	// MaxRecord bounds an encoded record without its length, whatever its parts are: 128 KiB.
	MaxRecord = 128 << 10

	// MaxBatchRecords is how many records a batch may have. It has at least 1.
	MaxBatchRecords = 10_000
	// MaxBatch bounds an encoded batch with its head: 2 MiB.
	MaxBatch = 2 << 20

	// MaxQuery bounds the text of a query or of a tail, in bytes.
	MaxQuery = 4096
	// DefaultLimit is how many records a query returns if it does not say.
	DefaultLimit = 100
	// MaxLimit is how many records one query may ask for. More are had page by page, with a cursor.
	MaxLimit = 100_000
)

// The times of records that a collector accepts unless it was told otherwise, before and after its own.
const (
	// DefaultMaxAge is how old a record may be: about 30 years.
	DefaultMaxAge = 30 * 365 * 24 * time.Hour
	// DefaultMaxAhead is how far in the future its time may lie, for clocks that are wrong.
	DefaultMaxAhead = 24 * time.Hour
)
