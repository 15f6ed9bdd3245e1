package service

import (
	"context"
	"errors"
	"io"
	"iter"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/query"
	"github.com/serialkit/serialkit/serialserver"
)

// chunk is how many bytes of frames are collected before they are sent (64 KiB, as much as a connection writes at
// once). With the largest record behind that, it is what a query or a tail has for a buffer.
const chunk = 64 << 10

// errGone is what a query's emit returns when nobody takes the answer any more.
var errGone = errors.New("service: the client has gone")

// query finds records that are stored.
func (s *Service) query(ctx context.Context, _ *serialserver.Client, message []byte, _ *zap.Logger, _ ...any) (io.Reader, error) {
	request, err := logwire.ParseQueryRequest(message)
	if err != nil {
		return refused(err)
	}
	filter, err := parseFilter(request.Text)
	if err != nil {
		return refused(err)
	}
	s.queries.Add(1)
	next, stop := iter.Pull(s.find(ctx, filter, request))
	return &found{next: next, stop: stop}, nil
}

// find yields the answer in pieces, each valid until the next one.
func (s *Service) find(ctx context.Context, filter *query.Filter, request logwire.QueryRequest) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		buf := []byte{byte(logwire.StatusOK)}
		end := s.store.Query(ctx, filter, request, func(id uint64, record []byte) error {
			buf = logwire.AppendRecordFrame(buf, id, record)
			if len(buf) < chunk {
				return nil
			}
			if !yield(buf) {
				buf = nil
				return errGone
			}
			buf = buf[:0]
			return nil
		})
		if buf != nil {
			yield(logwire.AppendEndFrame(buf, end))
		}
	}
}

// found is the answer of a query: the query runs within its Read, in the connection's goroutine, and stands still while
// the client takes what was found.
type found struct {
	next func() ([]byte, bool)
	stop func()
	rest []byte
}

// Read returns the answer. It ends with an End frame in any case, which says why.
func (f *found) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		var more bool
		if f.rest, more = f.next(); !more {
			return 0, io.EOF
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// Close ends the query, if it has not ended.
func (f *found) Close() error {
	f.stop()
	return nil
}
