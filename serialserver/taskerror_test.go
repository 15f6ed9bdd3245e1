package serialserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// coded is an application's own ErrorCoder.
type coded serial.ErrorCode

func (c coded) Error() string               { return fmt.Sprint("coded ", serial.ErrorCode(c)) }
func (c coded) ErrorCode() serial.ErrorCode { return serial.ErrorCode(c) }

func fails(err error) task {
	return func(ctx, client, reader) (io.Reader, error) { return nil, err }
}

func TestErrorCoderIsAnswered(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		code serial.ErrorCode
	}{
		"own":              {coded(0), 0},
		"ready-made":       {serial.Errorf(249, "reason"), 249},
		"reserved":         {serial.Errorf(serial.ErrorBusy, "full"), serial.ErrorBusy},
		"wrapped":          {fmt.Errorf("context: %w", coded(7)), 7},
		"wrapped twice":    {fmt.Errorf("more: %w", fmt.Errorf("context: %w", coded(255))), 255},
		"joined":           {errors.Join(errBroken, coded(9)), 9},
		"around a plain":   {serial.Errorf(3, "context: %w", io.ErrUnexpectedEOF), 3},
		"around a panic":   {serial.Errorf(4, "a helper: %w", &serialserver.PanicError{Value: "x"}), 4},
		"first of several": {serial.Errorf(5, "context: %w", coded(6)), 5},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := connect(t, newServer(nil, fails(test.err)))
				for range 2 { // the session goes on
					s.send(request(testTask, "message"), request(echoTask, "x"))
					s.wants(failed(test.code), ok("x"))
				}
			})
		})
	}
}

// The Error comes at once, however much of the message is still missing.
func TestErrorIsAnsweredBeforeTheMessageHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, fails(coded(7))))
		s.send([]byte{testTask})
		s.wants(failed(7))
		s.send([]byte{3, echoTask, 0, 0})
		s.wantsSilence()
		s.send([]byte{0}, request(echoTask, "x"))
		s.wants(ok("x"))
	})
}

// These have no answer: the connection is dropped without a byte, and the next connection is served.
func TestTaskWithoutAnAnswer(t *testing.T) {
	var typedNil *serial.Error
	var nilPath *os.PathError
	boom := errors.New("boom")
	for name, test := range map[string]struct {
		task  task
		is    error // what the result is
		panic any   // the value of its PanicError; nil: none
	}{
		"plain error":            {fails(errBroken), errBroken, nil},
		"panic":                  {func(ctx, client, reader) (io.Reader, error) { panic("boom") }, nil, "boom"},
		"panic with an error":    {func(ctx, client, reader) (io.Reader, error) { panic(boom) }, boom, boom},
		"panic with a coder":     {func(ctx, client, reader) (io.Reader, error) { panic(coded(7)) }, coded(7), coded(7)},
		"panic in ErrorCode":     {fails(panicker{}), nil, "code"},
		"panic in Unwrap":        {fails(wrapper{}), nil, "unwrap"},
		"typed nil coder":        {fails(typedNil), nil, runtimeError},
		"typed nil that unwraps": {fails(nilPath), nil, runtimeError},
		"typed nil PanicError":   {fails((*serialserver.PanicError)(nil)), nil, runtimeError},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, test.task)
				other := connect(t, srv)
				s := connect(t, srv)
				s.send(request(testTask, "message"), request(emptyTask, ""))
				s.wantsEnd()
				s.Close()
				require.Error(t, s.result())
				if test.is != nil {
					require.ErrorIs(t, s.err, test.is)
				}
				requirePanic(t, s.err, test.panic)
				require.ErrorContains(t, s.err, "task 3 (test)")
				other.send(request(echoTask, "x"))
				other.wants(ok("x"))
			})
		})
	}
}

// A panic in the Close of what came with an error code comes too late for the client to miss the code, and
// ends the connection.
func TestPanicAfterAnErrorCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, func(ctx, client, reader) (io.Reader, error) {
			return &closer{does: func() { panic("close") }}, coded(7)
		}))
		s.send(request(testTask, ""), request(emptyTask, ""))
		s.wants(failed(7))
		s.wantsEnd()
		requirePanic(t, s.result(), "close")
	})
}

const runtimeError = "a runtime.Error"

// requirePanic requires that err is of a panic with the value, nil meaning that it is of none.
func requirePanic(t *testing.T, err error, value any) {
	t.Helper()
	var p *serialserver.PanicError
	if value == nil {
		require.False(t, errors.As(err, &p))
		return
	}
	require.ErrorAs(t, err, &p)
	require.Contains(t, string(p.Stack), "serialserver_test")
	if value != runtimeError {
		require.Equal(t, value, p.Value)
		return
	}
	var re runtime.Error
	require.ErrorAs(t, err, &re)
}

type panicker struct{}

func (panicker) Error() string               { return "panicker" }
func (panicker) ErrorCode() serial.ErrorCode { panic("code") }

type wrapper struct{}

func (wrapper) Error() string { return "wrapper" }
func (wrapper) Unwrap() error { panic("unwrap") }

func TestPanicOfTheAnswer(t *testing.T) {
	text := func() io.Reader { return strings.NewReader("text") }
	read := readFunc(func([]byte) (int, error) { panic("read") })
	for name, test := range map[string]struct {
		out  io.Reader
		want string // the value
		cut  bool
	}{
		"reading at once":     {read, "read", true},
		"reading, later":      {io.MultiReader(text(), read), "read", true},
		"closing":             {&closer{Reader: text(), does: func() { panic("close") }}, "close", false},
		"the first one":       {&closer{Reader: read, does: func() { panic("close") }}, "read", true},
		"error that panics":   {&once{nil, wrapper{}}, "unwrap", true},
		"closing, after fail": {&closer{Reader: readFunc(func([]byte) (int, error) { return 0, errBroken }), does: func() { panic("close") }}, "close", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := connect(t, newServer(nil, returns(test.out)))
				s.send(request(testTask, ""), request(emptyTask, ""))
				if test.cut {
					s.wantsCut("text")
				} else {
					s.wants(ok("text"))
				}
				s.wantsEnd()
				requirePanic(t, s.result(), test.want)
			})
		})
	}
}

// A task that ends its goroutine (t.FailNow does) takes the connection with it, and nothing else.
func TestGoexit(t *testing.T) {
	exit := readFunc(func([]byte) (int, error) { runtime.Goexit(); return 0, nil })
	for name, f := range map[string]task{
		"in the task":   func(ctx, client, reader) (io.Reader, error) { runtime.Goexit(); return nil, nil },
		"in out.Read":   returns(exit),
		"in out.Close":  returns(&closer{Reader: strings.NewReader(""), does: runtime.Goexit}),
		"while reading": goexitWhileReading,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var m serialserver.MemoryMetrics
				srv := newServer(nil, f)
				srv.SetMetrics(&m)
				s := connect(t, srv)
				message := request(testTask, "message")
				if name == "while reading" {
					message = message[:len(message)-1]
				}
				s.send(message)
				s.closeWrite()
				_, err := io.ReadAll(s.in)
				require.NoError(t, err)
				<-s.returned // by its deferred functions
				require.NoError(t, s.err, "there is nobody whom HandleConnection could return it to")
				srv.Wait()
				require.Zero(t, srv.NumClients())
				require.Equal(t, map[serialserver.CloseReason]uint64{serialserver.ClosedDropped: 1}, m.Connections().Closed)
				stats := m.Tasks(testTask)
				require.Equal(t, []uint64{1, 1}, []uint64{stats.Started, stats.Dropped})
			})
		})
	}
}

// It takes nothing with it of what was answered before, even if that is just being written.
func TestGoexitWhileAnAnswerIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, func(ctx, client, reader) (io.Reader, error) {
			sleep(time.Second)
			runtime.Goexit()
			return nil, nil
		}), serialtest.Buffer(0))
		s.send(append(request(emptyTask, ""), request(testTask, "")...))
		sleep(2 * time.Second)
		s.wants(ok(""))
		s.wantsEnd()
	})
}

func goexitWhileReading(_ ctx, _ client, in reader) (io.Reader, error) {
	go io.Copy(io.Discard, in)
	runtime.Goexit()
	return nil, nil
}

// What ended the connection does not hide what the task said.
func TestBothErrorsAreTold(t *testing.T) {
	closes := func(c client) { c.Close() }
	cuts := func(c client) { c.Disconnect(0); settle() }
	for name, test := range map[string]struct {
		does func(client)
		is   error
	}{"closed": {closes, serialserver.ErrClosed}, "cut": {cuts, serialserver.ErrDisconnectTimeout}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := connect(t, newServer(nil, func(_ ctx, c client, _ reader) (io.Reader, error) { test.does(c); panic(errBroken) }))
				s.send(request(testTask, ""))
				require.ErrorIs(t, s.result(), test.is)
				require.ErrorIs(t, s.err, errBroken)
				requirePanic(t, s.err, errBroken)
			})
		})
	}
	for name, wrap := range map[string]func(error) error{
		"instead": func(error) error { return errBroken },
		"joined":  func(err error) error { return errors.Join(errBroken, err) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var m recorder
				srv := newServer(nil, func(_ ctx, _ client, in reader) (io.Reader, error) {
					_, err := in.ReadUint8()
					return nil, wrap(err)
				})
				srv.SetMetrics(&m)
				s := connect(t, srv)
				s.send(beginning(testTask, ""))
				s.closeWrite()
				for _, is := range []error{errBroken, io.ErrUnexpectedEOF} {
					require.ErrorIs(t, s.result(), is)
					require.ErrorIs(t, m.last.Err, is)
				}
			})
		})
	}
}

// A task that has failed drops its connection at once, also when it has left a goroutine in a read.
func TestFailedTaskDoesNotWaitForItsReader(t *testing.T) {
	for name, fail := range map[string]func(){"error": func() {}, "panic": func() { panic("x") }, "goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				read := make(chan error, 1)
				s := connect(t, newServer(&serialserver.Timeout{Read: -1}, func(_ ctx, _ client, in reader) (io.Reader, error) {
					go func() {
						_, err := in.ReadUint8()
						read <- err
					}()
					settle()
					fail()
					return nil, errBroken
				}, serialserver.WithLimits(serialserver.Limits{MinRate: -1})))
				s.send(beginning(testTask, ""))
				s.wantsEnd()
				require.LessOrEqual(t, time.Since(s.start), time.Second)
				require.Error(t, <-read)
			})
		})
	}
}

// A connection that panics in a task's read is that task's panic.
func TestConnectionThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := serialtest.Pipe()
		s := serve(t, context.Background(), newServer(nil, nil), client, &panicking{Conn: server})
		s.send([]byte{echoTask})
		require.Error(t, s.result())
		requirePanic(t, s.err, "read")
	})
}

// panicking panics in its second Read.
type panicking struct {
	net.Conn
	reads int
}

func (p *panicking) Read(b []byte) (int, error) {
	if p.reads++; p.reads > 1 {
		panic("read")
	}
	return p.Conn.Read(b)
}

// A value that contains itself cannot be printed.
func TestTextOfAPanic(t *testing.T) {
	itself := map[string]any{}
	itself["itself"] = itself
	for text, value := range map[string]any{
		"boom": "boom", "7": 7, "broken": errBroken, "1s": time.Second, "<nil>": nil,
		"a value of type map[string]interface {}": itself,
		"a value of type []int":                   []int{1},
	} {
		require.Equal(t, "serialserver: panic: "+text, (&serialserver.PanicError{Value: value}).Error())
	}
}
