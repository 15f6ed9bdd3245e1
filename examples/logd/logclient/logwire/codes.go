package logwire

import "github.com/serialkit/serialkit/serial"

// The task codes of logd.
const (
	// TaskAppend stores a batch; answered when it is durable. See Batch and AppendAnswer.
	TaskAppend serial.TaskCode = 1
	// TaskQuery finds records that are stored. See QueryRequest and Frame.
	TaskQuery serial.TaskCode = 2
	// TaskTail streams records as they are stored, until the client closes the connection. See TailRequest
	// and Frame.
	TaskTail serial.TaskCode = 3
	// TaskStats answers a JSON document, see Stats. Its message is empty.
	TaskStats serial.TaskCode = 4
)

// Version is the first byte of each request.
const Version = 1

// Status is the first byte of each answer.
type Status uint8

const (
	// StatusOK: the answer of the task follows.
	StatusOK Status = 0
	// StatusInvalid: the request is malformed or over a limit, and a FieldError follows. Nothing was stored.
	StatusInvalid Status = 1
	// StatusGap: the batch does not follow the producer's last one. The expected sequence number (8 bytes) follows.
	StatusGap Status = 2
	// StatusFenced: a later epoch of the producer has been seen. That epoch (8 bytes) follows.
	StatusFenced Status = 3
	// StatusReadOnly: the store takes no records now, and says why in a text (2-byte length).
	StatusReadOnly Status = 4
)
