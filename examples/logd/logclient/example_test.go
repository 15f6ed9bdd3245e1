package logclient_test

import (
	"context"
	"fmt"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// printer stands for a *Client.
type printer struct{}

func (printer) Log(r logwire.Record) error {
	fmt.Println(r.Level, r.Service, r.Message, r.Fields)
	return nil
}

func (printer) Sync(context.Context) error { return nil }

// A program that logs with zap ships its logs too, by one line.
func ExampleNewCore() {
	client := printer{} // logclient.New(...)
	logger := zap.NewNop()

	logger = zap.New(zapcore.NewTee(logger.Core(), logclient.NewCore(client, logclient.CoreOptions{Service: "api"})))

	logger.With(zap.Namespace("request"), zap.Int("id", 7)).Warn("slow", zap.Bool("retried", true))
	// Output: warn api slow [{request.id 1 7} {request.retried 2 true}]
}

// A program that logs with slog ships its logs by one line.
func ExampleNewHandler() {
	client := printer{} // logclient.New(...)

	logger := slog.New(logclient.NewHandler(client, logclient.HandlerOptions{Service: "api"}))

	logger.WithGroup("request").Warn("slow", "id", 7, "from", slog.GroupValue(slog.String("host", "h1")))
	// Output: warn api slow [{request.id 1 7} {request.from.host 0 h1}]
}
