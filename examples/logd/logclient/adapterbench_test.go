package logclient_test

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// encoding is a sink that does what a queue of batches does, without the queue.
type encoding struct{ buf []byte }

func (e *encoding) Log(r logwire.Record) error {
	e.buf = logwire.AppendBatchRecord(e.buf[:0], &r)
	return nil
}

func (e *encoding) Sync(context.Context) error { return nil }

func benchmarkZap(b *testing.B, core zapcore.Core) {
	lg := zap.New(core).With(zap.String("request", "b1946ac92492d234"), zap.Int("user", 42))
	b.ReportAllocs()
	for b.Loop() {
		lg.Info("request handled", zap.String("path", "/v1/items"), zap.Int("status", 200), zap.Duration("took", 1234567), zap.Bool("cached", true))
	}
}

func BenchmarkCore(b *testing.B) {
	b.Run("logd", func(b *testing.B) { benchmarkZap(b, logclient.NewCore(&encoding{}, logclient.CoreOptions{})) })
	b.Run("zap-json", func(b *testing.B) {
		e := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
		benchmarkZap(b, zapcore.NewCore(e, zapcore.AddSync(io.Discard), zap.InfoLevel))
	})
}

func benchmarkSlog(b *testing.B, h slog.Handler) {
	lg := slog.New(h).With("request", "b1946ac92492d234", "user", 42)
	b.ReportAllocs()
	for b.Loop() {
		lg.LogAttrs(context.Background(), slog.LevelInfo, "request handled", slog.String("path", "/v1/items"), slog.Int("status", 200),
			slog.Duration("took", 1234567*time.Nanosecond), slog.Bool("cached", true))
	}
}

func BenchmarkHandler(b *testing.B) {
	b.Run("logd", func(b *testing.B) { benchmarkSlog(b, logclient.NewHandler(&encoding{}, logclient.HandlerOptions{})) })
	b.Run("slog-json", func(b *testing.B) { benchmarkSlog(b, slog.NewJSONHandler(io.Discard, nil)) })
}
