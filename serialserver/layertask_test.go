package serialserver_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// A layer that panics when its task ends costs that connection alone: what belongs to the task is given back, and a stop
// ends.
func TestLayerThatPanicsAtTheEndOfItsTask(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		before func(client)
	}{
		"answered, leaving": {nil, func(c client) { c.Disconnect(time.Minute) }},
		"dropped":           {errors.New("no code"), func(client) {}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var armed atomic.Bool
				srv := newServer(nil, func(_ ctx, c client, _ reader) (io.Reader, error) {
					test.before(c)
					armed.Store(true)
					return nil, test.err
				})
				srv.Use(serialserver.LimitConcurrency(1, 0))
				client, server := serialtest.Pipe()
				s := serve(t, context.Background(), srv, client, mine{server, &armed, "deadline"})
				s.send(request(testTask, ""))
				io.Copy(io.Discard, s.Conn)
				var p *serialserver.PanicError
				require.ErrorAs(t, s.result(), &p)
				require.False(t, armed.Load())

				other := connect(t, srv)
				other.send(request(emptyTask, ""))
				other.wants(ok(""))
				_, err := srv.Shutdown(context.Background())
				require.NoError(t, err)
			})
		})
	}
}

// half is a layer that panics, once it is armed, when the bytes have been moved: nobody knows how many.
type half struct {
	net.Conn
	in, out *atomic.Bool
}

func (h half) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	if h.in.CompareAndSwap(true, false) {
		panic("layer: read")
	}
	return n, err
}

func (h half) Write(p []byte) (int, error) {
	n, err := h.Conn.Write(p)
	if h.out.CompareAndSwap(true, false) {
		panic("layer: write")
	}
	return n, err
}

// What was read or written when a layer panicked in a task is not known, also where a policy answers for the task: no
// further byte is taken for a part of a message, and none is sent twice.
func TestLayerThatPanicsInItsTask(t *testing.T) {
	for name, want := range map[string][]serialtest.Message{
		"read":  {ok(""), failed(9), goodbye},
		"write": {ok("")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var in, out atomic.Bool
				srv := newServer(nil, func(_ ctx, _ client, r reader) (io.Reader, error) {
					in.Store(name == "read")
					out.Store(name == "write")
					_, err := io.Copy(io.Discard, r)
					return nil, err
				})
				srv.Use(serialserver.Recover(func(client, *serialserver.PanicError) error { return coded(9) }))
				client, server := serialtest.Pipe()
				s := serve(t, context.Background(), srv, client, half{server, &in, &out})
				s.send(request(emptyTask, ""), beginning(testTask, "x"))
				synctest.Wait()
				s.sendAside([]byte{5, 'l', 'o', 's', 't'})
				synctest.Wait()
				s.sendAside([]byte{0}, request(echoTask, "in the block of 5")) // the 0 is its last byte
				s.wants(want...)
				s.wantsEnd()
				s.Close()
				s.result()
			})
		})
	}
}

// starts is Metrics of which TaskStarted calls a function.
type starts struct {
	serialserver.Metrics
	f func()
}

func (s starts) TaskStarted(client, serial.TaskCode) { s.f() }

// Metrics that panic when a task begins, at the moment of a look at its client, keep the connection from ending as
// little as a TaskFunc does.
func TestMetricsThatPanicWhenATaskBegins(t *testing.T) {
	for range 50 { // which of two timers is the first is a matter of chance
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(nil, nil)
			srv.SetMetrics(starts{new(serialserver.MemoryMetrics), func() {
				sleep(300 * time.Millisecond)
				panic("metrics")
			}})
			client, server := serialtest.Pipe()
			s := newSession(t, client)
			go func() {
				defer func() { recover() }()
				s.handle(context.Background(), srv, server)
			}()
			s.send(request(testTask, ""))
			io.Copy(io.Discard, s.Conn)
			s.Close()
			<-s.returned
			require.Equal(t, 300*time.Millisecond, time.Since(s.start))
		})
	}
}
