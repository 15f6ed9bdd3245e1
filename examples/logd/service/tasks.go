package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/query"
	"github.com/serialkit/serialkit/examples/logd/store"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
)

// maxRequest is how many bytes the request of a query, a tail or the statistics may have (128 KiB): far more than any that
// is well-formed, so that its decoder can say what is wrong with it.
const maxRequest = 128 << 10

// append stores a batch.
func (s *Service) append(ctx context.Context, _ *serialserver.Client, batch []byte, _ *zap.Logger, _ ...any) ([]byte, error) {
	answer, err := s.store.Append(ctx, batch)
	switch {
	case err == nil:
		return answer.AppendTo(nil), nil
	case errors.Is(err, store.ErrBusy):
		return nil, serial.Errorf(serial.ErrorBusy, "service: %w", err)
	}
	return refusal(err)
}

// refusal returns the answer for an error of logwire, and any other error as it is.
func refusal(err error) ([]byte, error) {
	if answer, ok := logwire.AppendError(nil, err); ok {
		return answer, nil
	}
	return nil, err
}

// stats answers what the store and the service count.
func (s *Service) stats(_ context.Context, _ *serialserver.Client, message []byte, _ *zap.Logger, _ ...any) ([]byte, error) {
	if len(message) > 0 {
		return refusal(&logwire.FieldError{Record: logwire.NoRecord, Field: "stats", Kind: logwire.ErrMalformed, Detail: "the request is not empty"})
	}
	doc, err := json.Marshal(s.Stats())
	return append([]byte{byte(logwire.StatusOK)}, doc...), err
}

// Stats returns what the store and the service count.
func (s *Service) Stats() logwire.Stats {
	stats := s.store.Stats()
	stats.Queries = s.queries.Load()
	stats.Tails = s.tails.Load()
	stats.Missed = s.missed.Load()
	stats.Busy = s.busy.Load()
	stats.UptimeSeconds = time.Since(s.started).Seconds()
	return stats
}

// counted counts the calls that are answered busy, whoever has no room for them.
func (s *Service) counted(f serialserver.TaskFunc) serialserver.TaskFunc {
	return func(ctx context.Context, c *serialserver.Client, in binaryutil.BinaryReader, lg *zap.Logger, args ...any) (io.Reader, error) {
		c.OnTaskDone(func(r serialserver.TaskResult) {
			if r.Outcome == serialserver.OutcomeError && r.ErrorCode == serial.ErrorBusy {
				s.busy.Add(1)
			}
		})
		return f(ctx, c, in, lg, args...)
	}
}

// parseFilter understands the text of a query.
func parseFilter(text string) (*query.Filter, error) { return query.Parse(text, time.Now()) }

// refused is refusal for TaskFuncs whose answers are readers.
func refused(err error) (io.Reader, error) {
	answer, err := refusal(err)
	if err != nil {
		return nil, err
	}
	return bytes.NewReader(answer), nil
}
