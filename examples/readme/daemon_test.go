package readme_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialserver"
)

func Example_daemon() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		daemon(ln, zap.NewNop())
	}()
	divisions(context.Background(), ln.Addr().String())
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	self.Signal(os.Interrupt)
	<-ended
	// Output:
	// 3 <nil>
	// the task failed with code 2
	// 1 divided, 1 failed
}

func daemon(ln net.Listener, lg *zap.Logger) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	srv := serialserver.New(&serialserver.Timeout{Read: 10 * time.Second})
	srv.SetLogger(lg) // a line for each connection that ends badly
	var metrics serialserver.MemoryMetrics
	srv.SetMetrics(&metrics)
	srv.Register(2, divide, "divide")

	stopped := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(stopped)
		within, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		report, err := srv.Shutdown(within) // idle clients get Goodbye, running tasks finish
		lg.Info("stopped", zap.Any("report", report), zap.Error(err))
	})
	if err := srv.Serve(context.Background(), ln); err != serialserver.ErrServerClosed {
		lg.Fatal("cannot serve", zap.Error(err))
	}
	<-stopped
	fmt.Println(metrics.Tasks(2).OK, "divided,", metrics.Tasks(2).Error, "failed")
}

// divide answers the quotient of two int64.
func divide(ctx context.Context, c *serialserver.Client, in binaryutil.BinaryReader, lg *zap.Logger, args ...any) (io.Reader, error) {
	a, _ := in.ReadInt64() // the first error sticks: one check is enough
	b, _ := in.ReadInt64()
	if err := in.Finish(); err != nil {
		return nil, serial.Errorf(1, "malformed message: %w", err)
	}
	if b == 0 {
		return nil, serial.Errorf(2, "%d divided by zero", a) // the client gets the code, the debug log the text
	}
	out := binaryutil.NewBuffer(in.ByteOrder(), nil)
	out.WriteInt64(a / b)
	return out, nil
}

func divisions(ctx context.Context, addr string) {
	c, err := serialclient.Dial(ctx, "tcp", addr, binary.BigEndian)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for _, b := range []int64{4, 0} {
		request := binaryutil.NewBuffer(c.ByteOrder(), nil)
		request.WriteInt64(12)
		request.WriteInt64(b)
		answer, err := c.Call(ctx, 2, request.Bytes())
		var coder serial.ErrorCoder
		switch {
		case errors.As(err, &coder):
			fmt.Println("the task failed with code", coder.ErrorCode())
		case serialclient.SafeToRetry(err):
			fmt.Println("the task did not run:", err)
		case err != nil:
			fmt.Println("the task may have run:", err)
		default:
			fmt.Println(binaryutil.NewBuffer(c.ByteOrder(), answer).ReadInt64())
		}
	}
}
