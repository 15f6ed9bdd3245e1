package serialdaemon_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
)

// A systemd that reads nothing keeps no process from its signals, and so from its stop.
func TestSystemdThatReadsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	deaf, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	defer deaf.Close()
	full, err := net.Dial("unixgram", path)
	require.NoError(t, err)
	defer full.Close()
	for err == nil {
		require.NoError(t, full.SetWriteDeadline(time.Now().Add(100*time.Millisecond)))
		_, err = full.Write([]byte("x"))
	}
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)

	t.Setenv("NOTIFY_SOCKET", path)
	l, signals, started := newListener(), make(chan os.Signal, 1), make(chan struct{})
	g := serialdaemon.Group{Signals: signals, OnReady: func([]net.Addr) { close(started) }}
	ended := make(chan error, 1)
	go func() { ended <- g.Run(context.Background(), newServer(), l.endpoint()) }()
	<-started
	signals <- syscall.SIGTERM
	require.NoError(t, <-ended)
	require.True(t, l.isClosed())
}
