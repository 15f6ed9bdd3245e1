package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/serialclient"
)

// When a sync fails the process ends with its exit code, and the producer whose batch it was is told nothing: neither
// that it was stored nor that it was not. The next start finds what was acknowledged.
func TestServeEndsWhenTheStoreFails(t *testing.T) {
	var broken atomic.Bool
	c := defaultConfig()
	c.Data, c.Endpoints = "data", []string{"tcp://127.0.0.1:0"}
	memory := vfs.NewMem()
	c.fs = errorfs.Wrap(memory, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if broken.Load() && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo) {
			return errors.New("the disk has gone")
		}
		return nil
	}))
	ready, ended := make(chan net.Addr, 1), make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	start := func() *producer {
		go func() {
			ended <- serve(ctx, &c, newLogger(stdio{err: io.Discard}, c.Log), func(addrs []net.Addr) { ready <- addrs[0] })
		}()
		client, err := serialclient.Dial(t.Context(), "tcp", (<-ready).String(), binary.BigEndian)
		require.NoError(t, err)
		t.Cleanup(func() { client.Close() })
		return newProducer(client, 0)
	}
	p := start()
	_, err := p.send(t.Context(), encoded(said("before")), 1)
	require.NoError(t, err)

	broken.Store(true)
	_, err = p.send(t.Context(), encoded(said("lost?")), 1)
	var failed *serialclient.Error
	require.ErrorAs(t, err, &failed)
	require.Equal(t, serialclient.Unknown, failed.Outcome, err)
	err = <-ended
	require.ErrorIs(t, err, errStoreFailed)
	require.Equal(t, exitStore, serveCode(err))

	broken.Store(false)
	again := start()
	answer, err := again.send(t.Context(), encoded(said("before")), 1)
	require.NoError(t, err)
	require.Equal(t, logwire.AppendAnswer{Mark: max(answer.Mark, 1)}, answer, "it had been stored")
	stop()
	require.NoError(t, <-ended)
}
