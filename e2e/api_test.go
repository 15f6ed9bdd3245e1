package e2e_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
)

// serverAPI is what a *serialserver.Server promised from the first day. It may grow; nothing of it
// changes.
type serverAPI interface {
	HandleConnection(ctx context.Context, conn net.Conn, e binary.ByteOrder, args ...interface{}) error
	Register(t serial.TaskCode, f serialserver.TaskFunc, name string)
	TaskFunc(t serial.TaskCode) (serialserver.TaskFunc, string, bool)
	RegisteredTaskCodes() []serial.TaskCode
	Clients() []*serialserver.Client
	NumClients() int
	Disconnect(d time.Duration)
	Wait()
	Log() *zap.Logger
	SetLogger(*zap.Logger)
	Metrics() serialserver.Metrics
	SetMetrics(serialserver.Metrics)
	Use(...func(serialserver.TaskFunc) serialserver.TaskFunc)
}

// clientAPI is the same for a *serialserver.Client.
type clientAPI interface {
	ByteOrder() binary.ByteOrder
	Cancel()
	Close() error
	Disconnect(d time.Duration)
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
	Server() *serialserver.Server
	Timestamp() time.Time
	Log() *zap.Logger
	SetLogger(*zap.Logger)
	Metrics() serialserver.Metrics
	SetMetrics(serialserver.Metrics)
	Metadata() *serial.TaskMetadata
	TaskCodes() []serial.TaskCode
	String() string
}

var (
	_ serverAPI = (*serialserver.Server)(nil)
	_ clientAPI = (*serialserver.Client)(nil)

	_ func(*serialserver.Timeout, ...serialserver.Option) *serialserver.Server = serialserver.New

	_ serialserver.TaskFunc = func(ctx context.Context, c *serialserver.Client, in binaryutil.BinaryReader, lg *zap.Logger, args ...interface{}) (out io.Reader, err error) {
		return nil, nil
	}
	_ = serialserver.Timeout{Wait: 0, Read: 0, Write: 0}
	_ = []error{serialserver.ErrGracefulDisconnect, serialserver.ErrTimeoutWaitingForTask}
)

func TestDefaultTimeouts(t *testing.T) {
	require.Equal(t, 30*time.Minute, serialserver.DefaultWait)
	require.Equal(t, 5*time.Second, serialserver.DefaultRead)
	require.Equal(t, 5*time.Second, serialserver.DefaultWrite)
}
