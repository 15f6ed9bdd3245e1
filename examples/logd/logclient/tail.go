package logclient

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/serial"
)

// Tail is a live stream of records, which goes on after a connection has failed where it was. It is for one
// goroutine; only Close may be called by another one.
type Tail struct {
	// OnFailure, if it is not nil, is called by Next, in its goroutine, with the reason for which there is no
	// connection: each time that one has failed, or could not be made, and before the pause after which Next makes
	// another one. Set it before the first Next.
	OnFailure func(err error)

	reader  *Reader
	ctx     context.Context
	cancel  context.CancelCauseFunc
	request logwire.TailRequest
	backoff backoff

	answer *answer // nil: not connected
	frames *logwire.FrameReader
	view   logwire.View
	fails  error // the last failure, until there is a frame again
}

// Event is what a Tail tells.
type Event struct {
	// ID and Record are a record; Record is nil if something was missed instead. It is valid until the next call
	// to Next; View.Record makes a copy.
	ID     uint64
	Record *logwire.View
	// Missed is how many stored records were passed over without being looked at, because this client was too
	// slow or retention has removed them.
	Missed uint64
}

// Tail returns a Tail of the records that match the request, from its cursor on. It does not connect: Connect and Next do. The Tail lasts until ctx
// is done or it is closed.
func (r *Reader) Tail(ctx context.Context, t logwire.TailRequest) *Tail {
	ctx, cancel := context.WithCancelCause(ctx)
	return &Tail{
		reader: r, ctx: ctx, cancel: cancel, request: t,
		backoff: backoff{first: r.options.Pause, most: r.options.MaxPause},
	}
}

// Connect makes the connection, unless there is one, so that the collector has accepted the request when it returns nil. It
// tries once: for programs that want to know whether the collector is there. Next may be called whatever it returns,
// and connects by itself. The error is as that of Next, or says why there is no connection.
func (t *Tail) Connect() error {
	err := t.connect()
	if t.ctx.Err() != nil {
		return context.Cause(t.ctx)
	}
	if err != nil {
		t.fails = err
	}
	return err
}

func (t *Tail) connect() (err error) {
	if t.answer != nil {
		return nil
	}
	t.answer, err = t.reader.ask(t.ctx, logwire.TaskTail, logwire.AppendTailRequest(nil, t.request))
	if err == nil {
		t.frames = logwire.NewFrameReader(t.answer.body)
	}
	return err
}

// Next waits for the next event. When the connection fails it makes another one, after a pause, and goes on with the
// record that is next: none comes twice, and none is left out that Missed does not count. The error is a *logwire.FieldError if the
// collector refuses the request, the cause of ctx when that is done, or ErrClosed.
func (t *Tail) Next() (Event, error) {
	for {
		if err := t.ctx.Err(); err != nil {
			t.hangUp()
			return Event{}, context.Cause(t.ctx)
		}
		event, ok, err := t.read()
		if err == nil {
			if ok {
				return event, nil
			}
			continue
		}
		t.hangUp()
		if t.ctx.Err() != nil {
			continue
		}
		if isFinal(err) {
			return Event{}, err
		}
		t.fails = err
		if t.OnFailure != nil {
			t.OnFailure(err)
		}
		t.backoff.pause(t.ctx)
	}
}

// Cursor returns the id of the next record that Next looks at, for TailRequest.Cursor; 0 as long as it is
// not known.
func (t *Tail) Cursor() uint64 { return t.request.Cursor }

// Err returns why there is no connection, and nil while there is one or none was tried.
func (t *Tail) Err() error { return t.fails }

// Close ends the Tail: Next returns ErrClosed, also one that is waiting. The connection is closed by the Next that notices, or by
// a context that is done.
func (t *Tail) Close() { t.cancel(ErrClosed) }

// read connects if that is needed, and reads a frame. It reports false for one that is no event.
func (t *Tail) read() (e Event, ok bool, err error) {
	if err := t.connect(); err != nil {
		return e, false, err
	}
	frame, err := t.frames.Next()
	if err == io.EOF {
		return e, false, ErrIncomplete
	}
	if err != nil {
		return e, false, fmt.Errorf("logclient: tail: %w", err)
	}
	t.backoff.failures, t.fails = 0, nil
	return t.take(frame)
}

// take moves the cursor.
func (t *Tail) take(frame logwire.Frame) (e Event, ok bool, err error) {
	switch frame.Kind {
	case logwire.FrameRecord:
		if frame.ID < t.request.Cursor {
			return e, false, nil // It was told before.
		}
		if err := logwire.ParseRecord(frame.Record, &t.view); err != nil {
			return e, false, fmt.Errorf("logclient: tail: record %d: %w", frame.ID, err)
		}
		t.request.Cursor = frame.ID + 1
		return Event{ID: frame.ID, Record: &t.view}, true, nil
	case logwire.FrameMissed:
		t.request.Cursor = max(t.request.Cursor, frame.ID)
		return Event{Missed: frame.Missed}, true, nil
	case logwire.FramePosition:
		t.request.Cursor = max(t.request.Cursor, frame.ID)
		return e, false, nil
	default:
		return e, false, fmt.Errorf("%w: kind %d", ErrFrame, frame.Kind)
	}
}

// hangUp closes the connection.
func (t *Tail) hangUp() {
	if t.answer != nil {
		_ = t.answer.Close() // There is nothing more to be had from it.
		t.answer = nil
	}
}

// isFinal reports whether asking again would be answered the same: the request was refused for what it says, or the
// collector knows no tails.
func isFinal(err error) bool {
	var field *logwire.FieldError
	if errors.As(err, &field) {
		return field.Field != "answer" && field.Field != "frame"
	}
	var code serial.ErrorCoder
	return errors.As(err, &code) && code.ErrorCode() == serial.ErrorUnknownTask
}
