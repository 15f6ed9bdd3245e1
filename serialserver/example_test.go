package serialserver_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

func greet(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...interface{}) (io.Reader, error) {
	name, err := in.ReadString()
	if err != nil {
		return nil, serial.Errorf(10, "malformed request: %w", err)
	}
	return strings.NewReader("hello " + name), nil
}

// printResponses prints the responses until the connection ends.
func printResponses(r io.Reader) {
	in := bufio.NewReader(r)
	for {
		m, err := serialtest.ReadMessage(in)
		switch {
		case err != nil:
			return
		case m.OK != nil:
			fmt.Printf("OK %q\n", string(*m.OK))
		case m.Error != nil:
			fmt.Println("Error", *m.Error)
		case m.Goodbye:
			fmt.Println("Goodbye")
		}
	}
}

func Example() {
	srv := serialserver.New(nil)
	srv.Register(1, greet, "greet")

	conn, served := serialtest.Pipe() // a listener's Accept, in a daemon
	go srv.HandleConnection(context.Background(), served, binary.BigEndian)

	io.WriteString(conn, "\x01\x08\x00\x00\x00\x04anna\x00") // greet "anna"
	io.WriteString(conn, "\x01\x00")                         // greet nobody
	io.WriteString(conn, "\x07\x00")                         // there is no such task
	io.WriteString(conn, "\xff\x00")                         // Disconnect
	printResponses(conn)
	conn.Close()
	srv.Wait()
	// Output:
	// OK "hello anna"
	// Error 10
	// Error 250 (unknown task)
	// Goodbye
}

// A task that streams: the answer begins before the message has ended.
func ExampleTaskFunc_stream() {
	upper := func(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...interface{}) (io.Reader, error) {
		r, w := io.Pipe()
		go func() {
			lines := bufio.NewScanner(in)
			for lines.Scan() {
				fmt.Fprintln(w, strings.ToUpper(lines.Text()))
			}
			w.CloseWithError(lines.Err())
		}()
		return r, nil
	}
	srv := serialserver.New(nil)
	srv.Register(2, upper, "upper")

	conn, served := serialtest.Pipe()
	go srv.HandleConnection(context.Background(), served, nil)
	conn.Write([]byte("\x02\x06first\n"))
	answer := bufio.NewReader(conn)
	answer.Discard(2) // OK, and the length of the block
	line, _ := answer.ReadString('\n')
	fmt.Print(line)
	conn.Write([]byte("\x07second\n\x00"))
	answer.Discard(1)
	line, _ = answer.ReadString('\n')
	fmt.Print(line)
	conn.Close()
	srv.Wait()
	// Output:
	// FIRST
	// SECOND
}

// A graceful end: the running task is answered first.
func ExampleServer_Disconnect() {
	srv := serialserver.New(nil)
	srv.Register(3, func(_ context.Context, c *serialserver.Client, _ binaryutil.BinaryReader, _ *zap.Logger, _ ...interface{}) (io.Reader, error) {
		c.Server().Disconnect(10 * time.Second) // in a daemon, a signal
		return strings.NewReader("the last answer"), nil
	}, "stop")

	conn, served := serialtest.Pipe()
	result := make(chan error)
	go func() { result <- srv.HandleConnection(context.Background(), served, nil) }()
	conn.Write([]byte("\x03\x00\x03\x00")) // twice
	printResponses(conn)
	conn.Close()
	fmt.Println(<-result)
	// Output:
	// OK "the last answer"
	// Goodbye
	// serialserver: graceful disconnect
}

// Middleware sees every task.
func ExampleServer_Use() {
	srv := serialserver.New(nil)
	srv.Register(1, greet, "greet")
	srv.Use(func(next serialserver.TaskFunc) serialserver.TaskFunc {
		return func(ctx context.Context, c *serialserver.Client, in binaryutil.BinaryReader, lg *zap.Logger, args ...interface{}) (io.Reader, error) {
			out, err := next(ctx, c, in, lg, args...)
			fmt.Println(c.Metadata().Name, "failed:", err != nil)
			return out, err
		}
	})
	conn, served := serialtest.Pipe()
	go srv.HandleConnection(context.Background(), served, nil)
	io.WriteString(conn, "\x01\x08\x00\x00\x00\x04anna\x00\x01\x00\xff")
	io.Copy(io.Discard, conn)
	conn.Close()
	srv.Wait()
	// Output:
	// greet failed: false
	// greet failed: true
}

func ExampleMemoryMetrics() {
	var m serialserver.MemoryMetrics
	srv := serialserver.New(nil)
	srv.SetMetrics(&m)
	srv.Register(1, greet, "greet")

	conn, served := serialtest.Pipe()
	go srv.HandleConnection(context.Background(), served, nil)
	io.WriteString(conn, "\x01\x08\x00\x00\x00\x04anna\x00\x01\x00\xff")
	io.Copy(io.Discard, conn)
	conn.Close()
	srv.Wait()
	for _, code := range m.TaskCodes() {
		s := m.Tasks(code)
		fmt.Println("task", code, "started", s.Started, "ok", s.OK, "error", s.Error, "bytes out", s.BytesOut)
	}
	fmt.Println(m.Connections().Closed[serialserver.ClosedGraceful], "closed gracefully")
	// Output:
	// task 1 started 2 ok 1 error 1 bytes out 10
	// 1 closed gracefully
}

// What ended a connection.
func ExampleServer_HandleConnection() {
	srv := serialserver.New(&serialserver.Timeout{Wait: time.Millisecond})
	srv.Register(1, greet, "greet")
	srv.Register(2, func(context.Context, *serialserver.Client, binaryutil.BinaryReader, *zap.Logger, ...interface{}) (io.Reader, error) {
		panic("oops")
	}, "broken")

	for _, request := range []string{"\x01\x08\x00\x00\x00", "\x02\x00", "\xff\x00", ""} {
		conn, served := serialtest.Pipe()
		io.WriteString(conn, request)
		if request != "" {
			conn.(interface{ CloseWrite() error }).CloseWrite()
		}
		err := srv.HandleConnection(context.Background(), served, nil)
		var p *serialserver.PanicError
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			fmt.Println("a message was cut")
		case errors.As(err, &p):
			fmt.Println("a task panicked:", p.Value)
		default:
			fmt.Println(err)
		}
	}
	// Output:
	// a message was cut
	// a task panicked: oops
	// serialserver: graceful disconnect
	// serialserver: timeout waiting for a task
}
