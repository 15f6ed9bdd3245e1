package serialserver

import (
	"bytes"
	"context"
	"io"
	"math"
	"net/netip"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
)

// MessageFunc handles tasks whose message and answer are in memory as a whole; see WholeMessage. The message
// is the function's to keep and to change. The answer, which may be a part of it, is the server's until the
// task's context is done.
type MessageFunc func(ctx context.Context, c *Client, message []byte, lg *zap.Logger, args ...interface{}) (answer []byte, err error)

// MessageStreamFunc handles tasks whose message is in memory as a whole and whose answer is a stream; see
// WholeMessageStream. The message is the function's to keep and to change. The answer is as that of any TaskFunc: it is
// read to its end, and closed if it is an io.Closer; nil is an empty one.
type MessageStreamFunc func(ctx context.Context, c *Client, message []byte, lg *zap.Logger, args ...interface{}) (answer io.Reader, err error)

// WholeMessage returns a TaskFunc that reads the whole message, calls f and sends what f returns. A message over
// Limits.MaxMessage is answered with error 251 (too large), without f; so is an answer over Limits.MaxAnswer.
// Memory is taken as the message arrives, at most twice of what has arrived, from what WithMessageMemory allows.
// Errors are as with any TaskFunc.
func WholeMessage(f MessageFunc) TaskFunc {
	return handleWhole(func(ctx context.Context, c *Client, limits *Limits, message []byte, lg *zap.Logger, args []interface{}) (io.Reader, error) {
		answer, err := f(ctx, c, message, lg, args...)
		if err != nil {
			return nil, err
		}
		if limits.MaxAnswer >= 0 && int64(len(answer)) > limits.MaxAnswer {
			return nil, serial.Errorf(serial.ErrorTooLarge, "serialserver: answer of %d bytes, the limit is %d", len(answer), limits.MaxAnswer)
		}
		return bytes.NewReader(answer), nil
	})
}

// WholeMessageStream is WholeMessage for answers of any length, which Limits.MaxAnswer does not bound. The message
// counts in WithMessageMemory until the task is done, which is when its answer was sent: give a task code whose
// answers last for long a small Limits.MaxMessage (SetTaskLimits). Up to 16 KiB are not counted.
func WholeMessageStream(f MessageStreamFunc) TaskFunc {
	return handleWhole(func(ctx context.Context, c *Client, _ *Limits, message []byte, lg *zap.Logger, args []interface{}) (io.Reader, error) {
		return f(ctx, c, message, lg, args...)
	})
}

// handleWhole returns a TaskFunc that reads the whole message and calls handle with it and with the task's limits.
func handleWhole(handle func(ctx context.Context, c *Client, limits *Limits, message []byte, lg *zap.Logger, args []interface{}) (io.Reader, error)) TaskFunc {
	return func(ctx context.Context, c *Client, in binaryutil.BinaryReader, lg *zap.Logger, args ...interface{}) (io.Reader, error) {
		t := c.runningIn(ctx)
		limits := c.limitsOfTask(t)
		m := wholeMessage{memory: &c.server.messages, host: c.seat.host}
		if !c.onDoneOf(t, func(TaskResult) { m.memory.end(&m) }) {
			defer m.memory.end(&m)
		}
		if err := c.withoutPlaces(ctx, t, func() error { return m.read(in, limits.MaxMessage) }); err != nil {
			m.free() // the rest of the message may take its time
			return nil, err
		}
		return handle(ctx, c, limits, m.bytes, lg, args)
	}
}

// wholeMessage is a message that is read.
type wholeMessage struct {
	bytes  []byte
	memory *memoryLimit
	host   netip.Prefix // whose share it takes from; invalid: nobody's
	taken  int64        // of it; memory.mu guards it, as the next one: other middleware may end a task that goes on
	over   bool         // the task is done
}

// firstMessage is the least room for a message.
const firstMessage = 512

// read reads in to its end, which comes after limit bytes at the latest; negative: whenever.
func (m *wholeMessage) read(in io.Reader, limit int64) error {
	for {
		if len(m.bytes) == cap(m.bytes) {
			if err := m.grow(limit); err != nil {
				return err
			}
		}
		n, err := in.Read(m.bytes[len(m.bytes):cap(m.bytes)])
		m.bytes = m.bytes[:len(m.bytes)+n]
		switch {
		case limit >= 0 && int64(len(m.bytes)) > limit:
			return serial.Errorf(serial.ErrorTooLarge, "serialserver: message of more than the limit of %d bytes", limit)
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// grow doubles the room for the message, to what its limit needs at the most: a byte beyond. The old and the new
// are there at a time.
func (m *wholeMessage) grow(limit int64) error {
	size := max(2*cap(m.bytes), firstMessage)
	if limit >= 0 && limit < math.MaxInt64 {
		size = int(min(int64(size), limit+1))
	}
	counted := int64(size)
	if size <= freeMessage {
		counted = 0
	}
	if !m.memory.take(m, counted, limit >= 0) {
		return serial.Errorf(serial.ErrorBusy, "serialserver: no memory for a message of more than %d bytes", len(m.bytes))
	}
	m.bytes = append(make([]byte, 0, size), m.bytes...)
	m.memory.keep(m, counted)
	return nil
}

// free forgets the message, whose task may be around for longer, while its client is listened to.
func (m *wholeMessage) free() {
	m.memory.keep(m, 0)
	m.bytes = nil
}
