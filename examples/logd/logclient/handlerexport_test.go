package logclient

import (
	"log/slog"
	"time"
)

// NewHandlerAt is NewHandler with a clock for records without a time.
func NewHandlerAt(sink Sink, o HandlerOptions, now func() time.Time) slog.Handler {
	h := NewHandler(sink, o).(*handler)
	h.now = now
	return h
}
