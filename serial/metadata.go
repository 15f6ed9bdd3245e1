package serial

import "time"

// TaskMetadata is what is known of one running task. It is a snapshot: it does not change after
// it was taken.
type TaskMetadata struct {
	// Code is the task code that the client sent.
	Code TaskCode
	// Name is the name under which the task was registered.
	Name string
	// Sequence is the task's number on its connection, from 1. Reserved and unknown task codes
	// are counted too.
	Sequence uint64
	// Start is when the task code was read.
	Start time.Time
	// BytesIn is how many bytes of the message the task has read so far, without block headers.
	BytesIn uint64
	// BytesOut is how many bytes of the answer were taken from the task so far, without block
	// headers. They may still be buffered.
	BytesOut uint64
}
