package logclient_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/serialserver"
)

// benchRecord has about 200 bytes.
func benchRecord() logwire.Record {
	return logwire.Record{
		Time: 1_700_000_000_000_000_000, Level: logwire.Info, Service: "api", Host: "host-1.example.com",
		Message: "request served " + strings.Repeat("x", 60),
		Fields: []logwire.Field{
			{Key: "user", Kind: logwire.Number, Value: "42"}, {Key: "path", Value: "/v1/things/17"},
			{Key: "status", Kind: logwire.Number, Value: "200"}, {Key: "ms", Kind: logwire.Number, Value: "17.25"},
		},
	}
}

// BenchmarkLogFull is what Log costs when the queue is full and nobody takes anything.
func BenchmarkLogFull(b *testing.B) {
	f := newFake(b)
	f.away = true
	c := newClient(b, f, logclient.Options{})
	r := benchRecord()
	for c.Log(r) == nil {
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = c.Log(r)
	}
}

// BenchmarkThroughput is Log with a collector on loopback that reads and acknowledges, and waits where the queue is
// full.
func BenchmarkThroughput(b *testing.B) {
	srv := serialserver.New(nil)
	srv.SetLogger(zap.NewNop())
	srv.Register(logwire.TaskAppend, func(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...any) (io.Reader, error) {
		message, err := io.ReadAll(in)
		if err != nil {
			return nil, err
		}
		h, _, err := logwire.ParseBatchHead(message)
		answer := logwire.AppendAnswer{Stored: true, Mark: h.Sequence, FirstID: 1}
		return binaryutil.NewBuffer(binary.BigEndian, answer.AppendTo(nil)), err
	}, "append")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background(), l) }()
	b.Cleanup(func() {
		_ = srv.Close()
		<-served
	})
	c, err := logclient.New(logclient.Options{Address: "tcp://" + l.Addr().String()})
	require.NoError(b, err)
	r := benchRecord()
	b.SetBytes(int64(r.Size()))
	b.ReportAllocs()
	for b.Loop() {
		for c.Log(r) != nil {
			require.NoError(b, c.Sync(context.Background()))
		}
	}
	left, err := c.Close(context.Background())
	require.NoError(b, err)
	require.Zero(b, left.Ledger.Pending())
	b.ReportMetric(float64(left.Ledger.Acknowledged)/b.Elapsed().Seconds(), "records/s")
}
