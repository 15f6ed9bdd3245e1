package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/serialkit/serialkit/examples/logd/logclient"
)

// TestAProgramShipsItsLogsByOneLine logs with zap and slog through a client, and finds the records.
func TestAProgramShipsItsLogsByOneLine(t *testing.T) {
	c := serving(t, t.TempDir())
	client, err := logclient.New(logclient.Options{Address: "tcp://" + c.address, Service: "prog", Host: "h"})
	require.NoError(t, err)
	lg := zap.New(zapcore.NewTee(zap.NewNop().Core(), logclient.NewCore(client, logclient.CoreOptions{})))
	lg.Named("db").Warn("by zap", zap.Int("user", 42), zap.Duration("took", time.Second), zap.Error(errors.New("reset")))
	require.NoError(t, lg.Sync())
	slog.New(logclient.NewHandler(client, logclient.HandlerOptions{})).WithGroup("req").Error("by slog", "user", 42, "ok", true)
	left, err := client.Close(t.Context())
	require.NoError(t, err, left)

	exit, out, errs := runHere(t, "", "query", "-addr", c.address, "-order", "oldest", "service:prog level>=warn")
	require.Zero(t, exit, errs)
	var got []string
	for line := range strings.Lines(out) {
		var r struct {
			Level, Host, Message string
			Fields               json.RawMessage
		}
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		got = append(got, strings.Join([]string{r.Level, r.Host, r.Message, string(r.Fields)}, " "))
	}
	require.Equal(t, []string{
		`warn h by zap {"logger":"db","user":42,"took":"1s","error":"reset"}`,
		`error h by slog {"req.user":42,"req.ok":true}`,
	}, got)
	exit, out, _ = runHere(t, "", "query", "-addr", c.address, "req.user=42")
	require.Zero(t, exit)
	require.Equal(t, 1, strings.Count(out, "\n"), "fields of groups are found by their dotted keys")
}
