package serialserver_test

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// mine is a layer that panics, once it is armed, in whatever the test names.
type mine struct {
	net.Conn
	armed *atomic.Bool
	in    string
}

func (m mine) step(in string) {
	if m.in == in && m.armed.CompareAndSwap(true, false) {
		panic("layer: " + in)
	}
}

func (m mine) Read(p []byte) (int, error)  { m.step("read"); return m.Conn.Read(p) }
func (m mine) Write(p []byte) (int, error) { m.step("write"); return m.Conn.Write(p) }
func (m mine) Close() error                { m.step("close"); return m.Conn.Close() }
func (m mine) NetConn() net.Conn           { m.step("look"); return m.Conn }

func (m mine) SetReadDeadline(t time.Time) error {
	m.step("deadline")
	return m.Conn.SetReadDeadline(t)
}

func (m mine) SetWriteDeadline(t time.Time) error {
	m.step("write deadline")
	return m.Conn.SetWriteDeadline(t)
}

// One that panics when its idle client's context is done, too.
func TestLayerThatPanicsAtTheEndOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var armed atomic.Bool
		within, cancel := context.WithCancel(context.Background())
		client, server := serialtest.Pipe()
		s := serve(t, within, newServer(nil, nil), client, mine{server, &armed, "deadline"})
		synctest.Wait()
		armed.Store(true)
		cancel()
		io.Copy(io.Discard, s.Conn)
		var p *serialserver.PanicError
		require.ErrorAs(t, s.result(), &p)
		require.Zero(t, s.lasted)
	})
}

// A layer that panics while a task runs, in a goroutine or a timer of the connection's, costs that connection
// alone: its task's context ends with it, it is logged with its stack, and others are served.
func TestLayerThatPanicsBesideItsTask(t *testing.T) {
	for name, test := range map[string]struct {
		in  string
		end func(*serialserver.Server, context.CancelFunc) // nil: nothing
	}{
		"read ahead":  {"read", nil},
		"timed flush": {"write", nil},
		"look":        {"look", nil},
		"cut off":     {"close", func(srv *serialserver.Server, _ context.CancelFunc) { srv.Disconnect(time.Second) }},
		"close":       {"close", func(srv *serialserver.Server, _ context.CancelFunc) { srv.Close() }},
		"shutdown": {"close", func(srv *serialserver.Server, cancel context.CancelFunc) {
			late, stop := context.WithTimeout(context.Background(), time.Second)
			defer stop()
			srv.Shutdown(late)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lg, logs := observed()
				var armed atomic.Bool
				srv := newServer(nil, func(ctx ctx, _ client, _ reader) (io.Reader, error) {
					armed.Store(true)
					select {
					case <-ctx.Done():
					case <-time.After(3 * time.Second):
					}
					return nil, nil
				})
				srv.SetLogger(lg)
				other := connect(t, srv)
				within, cancel := context.WithCancel(context.Background())
				defer cancel()
				client, server := serialtest.Pipe()
				s := serve(t, within, srv, client, mine{server, &armed, test.in})
				s.send(request(emptyTask, ""), request(testTask, "")) // the first has its answer waiting
				synctest.Wait()
				if test.end != nil {
					test.end(srv, cancel)
				} else {
					sleep(time.Second)
					other.send(request(echoTask, "x"))
					other.wants(ok("x"))
				}
				io.Copy(io.Discard, s.Conn)
				var p *serialserver.PanicError
				require.ErrorAs(t, s.result(), &p)
				require.Equal(t, "layer: "+test.in, p.Value)
				lines := logs.FilterMessage("connection panicked").All()
				require.Len(t, lines, 1, "%v", logs.All())
				require.Contains(t, lines[0].ContextMap()["stack"], "mine.step")
				require.Contains(t, lines[0].ContextMap()["error"], "layer: "+test.in)
			})
		})
	}
}

// A layer that panics when its client is disconnected keeps a stop from nobody: the others are told, and it ends.
func TestLayerThatPanicsInAStop(t *testing.T) {
	for name, test := range map[string]struct {
		in   string
		stop func(*serialserver.Server)
	}{
		"shutdown":   {"deadline", func(srv *serialserver.Server) { srv.Shutdown(context.Background()) }},
		"disconnect": {"deadline", func(srv *serialserver.Server) { srv.Disconnect(0) }},
		"close":      {"write deadline", func(srv *serialserver.Server) { srv.Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil)
				var armed atomic.Bool
				var sessions []*session
				for range 10 {
					client, server := serialtest.Pipe()
					sessions = append(sessions, serve(t, context.Background(), srv, client, mine{server, &armed, test.in}))
				}
				synctest.Wait()
				armed.Store(true) // for the first of them
				test.stop(srv)
				for _, s := range sessions {
					io.Copy(io.Discard, s.Conn)
					s.Close()
					s.result()
				}
				require.False(t, armed.Load())
				require.Zero(t, srv.NumClients())
			})
		})
	}
}
