package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serialserver"
)

// lateAfter is how long after the grace a connection is ended that missed the end of the daemon.
const lateAfter = time.Second

// daemon serves the tasks on a listener.
type daemon struct {
	server      *serialserver.Server // never changes, as the next two
	order       binary.ByteOrder
	grace       time.Duration
	connections sync.WaitGroup
}

func newDaemon(cfg config, lg *zap.Logger) *daemon {
	server := serialserver.New(&cfg.timeout, serialserver.WithName("interop"))
	server.SetLogger(lg)
	register(server)
	if cfg.verbose {
		server.Use(logTask)
	}
	return &daemon{server: server, order: cfg.order, grace: cfg.grace}
}

// serve serves until ctx is done or accepting fails, and then drains: tasks that run get the grace
// to finish. It returns when all connections are closed, with the error of Accept, if any.
func (d *daemon) serve(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	// Not a child of ctx: its end would cancel the running tasks.
	serving, cancel := context.WithCancel(context.Background())
	defer cancel()
	err := d.accept(serving, listener)
	listener.Close()
	d.server.Disconnect(d.grace)
	// A connection that was accepted just now may not be one of the server's clients yet and so
	// have missed the Disconnect. It does not miss this.
	defer time.AfterFunc(d.grace+lateAfter, cancel).Stop()
	d.connections.Wait() // unlike server.Wait it knows that connection, too
	return err
}

// accept serves each connection in a goroutine until the listener is closed.
func (d *daemon) accept(ctx context.Context, listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		d.connections.Go(func() {
			_ = d.server.HandleConnection(ctx, conn, d.order) // the server has logged the error
		})
	}
}

// logTask logs each task as it begins.
func logTask(next serialserver.TaskFunc) serialserver.TaskFunc {
	return func(ctx context.Context, c *serialserver.Client, in binaryutil.BinaryReader, lg *zap.Logger, args ...any) (io.Reader, error) {
		task := c.Metadata()
		lg.Info("task", zap.String("name", task.Name), zap.Uint64("sequence", task.Sequence))
		return next(ctx, c, in, lg, args...)
	}
}
