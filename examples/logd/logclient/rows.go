package logclient

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// ErrIncomplete: the answer to a query ended before its end was told.
var ErrIncomplete = errors.New("logclient: the answer is not complete")

// ErrFrame: the answer has a frame that does not belong there.
var ErrFrame = errors.New("logclient: unexpected frame")

// Rows are the records that a query has found, as they come. It is for one goroutine. Close it in any case.
//
//	for rows.Next() {
//		use(rows.ID(), rows.Record())
//	}
//	err := rows.Err()
type Rows struct {
	answer *answer
	frames *logwire.FrameReader
	id     uint64
	view   logwire.View
	end    *logwire.End
	err    error
}

// Query asks for stored records. It returns once the collector has accepted the query: the error is a *logwire.FieldError of kind
// ErrQuery for a text that it does not understand, one with a serial.ErrorCoder where it is busy, or that of the connection. The Rows last until
// ctx is done.
func (r *Reader) Query(ctx context.Context, q logwire.QueryRequest) (*Rows, error) {
	a, err := r.ask(ctx, logwire.TaskQuery, logwire.AppendQueryRequest(nil, q))
	if err != nil {
		return nil, err
	}
	return &Rows{answer: a, frames: logwire.NewFrameReader(a.body)}, nil
}

// Next reads the next record. It reports false at the end, and when Err says why there is no more.
func (r *Rows) Next() bool {
	if r.err != nil || r.end != nil {
		return false
	}
	frame, err := r.frames.Next()
	switch {
	case err == io.EOF:
		r.err = ErrIncomplete
	case err != nil:
		r.err = fmt.Errorf("logclient: query: %w", err)
	case frame.Kind == logwire.FrameRecord:
		if err := logwire.ParseRecord(frame.Record, &r.view); err != nil {
			r.err = fmt.Errorf("logclient: query: record %d: %w", frame.ID, err)
			return false
		}
		r.id = frame.ID
		return true
	case frame.Kind == logwire.FrameEnd:
		r.end = frame.End
	default:
		r.err = fmt.Errorf("%w: kind %d", ErrFrame, frame.Kind)
	}
	return false
}

// ID returns the record's id: its place in the order of ingestion.
func (r *Rows) ID() uint64 { return r.id }

// Record returns the record. It is valid until the next call to Next; View.Record makes a copy.
func (r *Rows) Record() *logwire.View { return &r.view }

// End returns what the collector said at the end: why, where to go on, and what was done. It reports false before the
// end and if there was none.
func (r *Rows) End() (logwire.End, bool) {
	if r.end == nil {
		return logwire.End{}, false
	}
	return *r.end, true
}

// Err returns why Next has reported false; nil at the end. An End with an error of its own is not one of these.
func (r *Rows) Err() error { return r.err }

// Close ends the query, also before its end. Closing again does nothing.
func (r *Rows) Close() error {
	if r.answer == nil {
		return nil
	}
	if r.err == nil && r.end == nil {
		r.err = ErrClosed
	}
	err := r.answer.Close()
	r.answer = nil
	return err
}
