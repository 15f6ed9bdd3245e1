package serialserver_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// However fast they are, tasks are run one at a time and answered in their order.
func TestPipelinedTasksAreAnsweredInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running := 0
		srv := newServer(nil, func(_ ctx, _ client, in reader) (io.Reader, error) {
			running++
			defer func() { running-- }()
			require.Equal(t, 1, running)
			n, err := in.ReadUint8()
			sleep(time.Duration(n%3) * time.Second)
			return strings.NewReader(fmt.Sprint(n)), err
		})
		s := connect(t, srv)
		for i := range 100 {
			s.send(request(testTask, string([]byte{byte(i)})))
		}
		for i := range 100 {
			s.wants(ok(fmt.Sprint(i)))
		}
	})
}

// Answers of all kinds, in one burst.
func TestPipelineOfAllKinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, fails(coded(7))))
		s.send(request(echoTask, "a"), request(testTask, "unread"), request(99, "unknown"),
			request(serial.TaskKeepAlive, ""), request(emptyTask, "unread"), request(echoTask, "b"), disconnect)
		s.wants(ok("a"), failed(7), failed(serial.ErrorUnknownTask), ok(""), ok(""), ok("b"), goodbye)
		s.wantsEnd()
	})
}

// An answer is on its way within a millisecond, however slow the next task is, and whatever it is
// slow with.
func TestAnswerIsNotHeldBackByTheNextTask(t *testing.T) {
	for name, next := range map[string]struct {
		message []byte
		f       task
	}{
		"running": {request(testTask, ""), sleeper(time.Hour)},
		"reading": {beginning(testTask, "begun"), reads(-1)},
		"unread":  {beginning(testTask, "begun"), empty},
		"answering": {request(testTask, ""), func(ctx, client, reader) (io.Reader, error) {
			return readFunc(func([]byte) (int, error) { sleep(time.Hour); return 0, io.EOF }), nil
		}},
		"no message": {[]byte{testTask}, reads(-1)},
		"read aside": {beginning(testTask, "begun"), func(_ ctx, _ client, in reader) (io.Reader, error) {
			r, w := io.Pipe()
			go func() {
				_, err := io.Copy(w, in)
				w.CloseWithError(err)
			}()
			return r, nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := connect(t, newServer(nil, next.f))
				s.send(append(request(echoTask, "first"), next.message...))
				s.wants(ok("first"))
				require.LessOrEqual(t, time.Since(s.start), time.Millisecond)
				s.closeWrite()
			})
		})
	}
}

// Nothing is written for a client that is slower than its answers but once the buffer is full:
// task n+1 does not wait for the client to take answer n.
func TestTasksGoOnWhileAnswersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ran := 0
		s := connect(t, newServer(nil, func(ctx, client, reader) (io.Reader, error) {
			ran++
			return nil, nil
		}))
		for range 50 {
			s.send(request(testTask, ""))
		}
		synctest.Wait()
		require.Equal(t, 50, ran)
		for range 50 {
			s.wants(ok(""))
		}
	})
}

// A task that ends while the answer before its own is being written waits for that.
func TestTaskEndsWhileAnAnswerIsWritten(t *testing.T) {
	for name, f := range map[string]func() (io.Reader, error){
		"known length": func() (io.Reader, error) { return strings.NewReader("second"), nil },
		"stream":       func() (io.Reader, error) { return onlyReader{strings.NewReader("second")}, nil },
		"error":        func() (io.Reader, error) { return nil, coded(7) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := connect(t, newServer(nil, func(ctx, client, reader) (io.Reader, error) {
					sleep(time.Second)
					return f()
				}), serialtest.Buffer(0))
				s.send(append(request(emptyTask, ""), request(testTask, "")...))
				sleep(2 * time.Second)
				want := ok("second")
				if name == "error" {
					want = failed(7)
				}
				s.wants(ok(""), want)
				s.wantsSilence()
			})
		})
	}
}

// A connection that cannot be half-closed gets Goodbye, at most 500 ms long, and is closed.
func TestConnectionsWithoutHalfClose(t *testing.T) {
	for name, opts := range map[string][]serialtest.Option{
		"buffered":   {serialtest.NoHalfClose()},
		"unbuffered": {serialtest.NoHalfClose(), serialtest.Buffer(0)}, // as net.Pipe
	} {
		t.Run(name, func(t *testing.T) {
			around(t, 500*time.Millisecond, func(t *testing.T, at time.Duration, late bool) {
				srv := newServer(&serialserver.Timeout{Write: time.Hour}, nil)
				s := connect(t, srv, opts...)
				s.send(request(echoTask, "x"))
				s.wants(ok("x"))
				synctest.Wait()
				srv.Disconnect(time.Hour)
				if name == "buffered" {
					s.wants(goodbye)
					require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
					require.Zero(t, s.lasted)
					return
				}
				if late { // and nobody ever reads it
					require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
					require.Equal(t, 500*time.Millisecond, s.lasted)
					return
				}
				sleep(at)
				s.wants(goodbye)
				s.wantsEnd()
			})
		})
	}
}
