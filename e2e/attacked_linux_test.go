package e2e_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
)

// serverArgs are those of the child that is attacked.
type serverArgs struct {
	Read          time.Duration // timeouts; 0: the default
	MinRateWindow time.Duration
	Descriptors   uint64 // the limit of the process; 0: as it is
	SocketBuffer  int    // of each connection; 0: the system's
}

// serverState is what it says of itself.
type serverState struct {
	Open   int // clients
	Closed map[serialserver.CloseReason]uint64
	Oldest map[serialserver.CloseReason]time.Duration // the age of the oldest of them when they were closed
	CPU    time.Duration
	Peak   int64 // bytes
}

// The tasks of the server.
const (
	echoTask   = 1
	sourceTask = 2 // uint64 n: n bytes
	sinkTask   = 3 // reads to the end
	wholeTask  = 4 // the same, as one message
)

// ages is a Metrics that knows how old connections grow.
type ages struct {
	serialserver.MemoryMetrics
	mu     sync.Mutex // guards what follows
	oldest map[serialserver.CloseReason]time.Duration
}

func (a *ages) ConnectionClosed(c *serialserver.Client, reason serialserver.CloseReason) {
	a.MemoryMetrics.ConnectionClosed(c, reason)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.oldest[reason] = max(a.oldest[reason], time.Since(c.Timestamp()))
}

// serverChild is the server that is attacked.
func serverChild() {
	var args serverArgs
	arguments(&args)
	if args.Descriptors > 0 {
		limit := syscall.Rlimit{Cur: args.Descriptors, Max: args.Descriptors}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			panic(err)
		}
	}
	metrics := &ages{oldest: make(map[serialserver.CloseReason]time.Duration)}
	srv := attackedServer(args)
	srv.SetMetrics(metrics)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background(), l) }()
	serveParent(l.Addr().String(), func() any {
		metrics.mu.Lock()
		defer metrics.mu.Unlock()
		oldest := make(map[serialserver.CloseReason]time.Duration)
		for reason, age := range metrics.oldest {
			oldest[reason] = age
		}
		cpu, peak := used()
		return serverState{srv.NumClients(), metrics.Connections().Closed, oldest, cpu, peak}
	})
	srv.Close()
	srv.Wait()
	<-served
}

// attackedServer has the default limits, but for those of one address: all its clients come from one.
func attackedServer(args serverArgs) *serialserver.Server {
	srv := serialserver.New(&serialserver.Timeout{Read: args.Read},
		serialserver.WithMaxClientsPerAddress(-1),
		serialserver.WithMessageMemoryPerAddress(-1), // all come from one
		serialserver.WithLimits(serialserver.Limits{MinRateWindow: args.MinRateWindow}),
		serialserver.WithHandshake(func(ctx context.Context, conn net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
			if tcp, ok := conn.(*net.TCPConn); ok && args.SocketBuffer > 0 {
				tcp.SetReadBuffer(args.SocketBuffer)
				tcp.SetWriteBuffer(args.SocketBuffer)
			}
			return ctx, conn, nil, nil, nil
		}, 0))
	type (
		ctx    = context.Context
		client = *serialserver.Client
		reader = binaryutil.BinaryReader
	)
	register := func(code serial.TaskCode, name string, f func(reader) (io.Reader, error)) {
		srv.Register(code, func(_ ctx, _ client, in reader, _ *zap.Logger, _ ...any) (io.Reader, error) { return f(in) }, name)
	}
	register(echoTask, "echo", func(in reader) (io.Reader, error) { return in, nil })
	register(sourceTask, "source", func(in reader) (io.Reader, error) {
		n, err := in.ReadUint64()
		return io.LimitReader(zeros{}, int64(n)), err
	})
	register(sinkTask, "sink", func(in reader) (io.Reader, error) {
		_, err := io.Copy(io.Discard, in)
		return nil, err
	})
	srv.Register(wholeTask, serialserver.WholeMessage(
		func(ctx, client, []byte, *zap.Logger, ...any) ([]byte, error) { return nil, nil }), "whole")
	return srv
}

// zeros is a reader without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
