package serialserver_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// Tasks that shut the server down do not wait for each other, nor cut each other off; a Shutdown from outside waits
// for them.
func TestShutdownFromSeveralTasks(t *testing.T) {
	for name, d := range map[string]time.Duration{"no deadline": 0, "a deadline": time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var srv *serialserver.Server
				srv = newServer(nil, func(c ctx, _ client, _ reader) (io.Reader, error) {
					sleep(time.Second) // all run
					if d > 0 {
						var cancel func()
						c, cancel = context.WithTimeout(c, d)
						defer cancel()
					}
					r, err := srv.Shutdown(c)
					require.NoError(t, err)
					require.Empty(t, r.Running)
					sleep(time.Second)
					return nil, nil
				})
				var all []*session
				for range 3 {
					s := connect(t, srv)
					s.send(request(testTask, ""))
					all = append(all, s)
				}
				sleep(time.Second + time.Millisecond)
				outside := shutDown(srv, 0)
				for _, s := range all {
					s.wants(ok(""), goodbye)
					s.Close()
				}
				require.Equal(t, serialserver.Report{Drained: 3}, (<-outside).Report)
			})
		})
	}
}

// A task within a connection within a task waits for neither.
func TestShutdownFromANestedTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, innerServer := serialtest.Pipe()
		var srv *serialserver.Server
		srv = newServer(nil, func(c ctx, _ client, in reader) (io.Reader, error) {
			if depth, _ := in.ReadUint8(); depth == 'o' {
				return nil, srv.HandleConnection(c, innerServer, nil)
			}
			_, err := srv.Shutdown(c)
			return nil, err
		})
		s := connect(t, srv)
		s.send(request(testTask, "o"))
		in := sessionOf(t, inner)
		in.send(request(testTask, "i"))
		in.wants(ok(""), goodbye)
		in.Close()
		s.wantsEnd() // ErrGracefulDisconnect has no code
	})
}

// A handshake that shuts the server down does not wait for itself.
func TestShutdownFromAHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var srv *serialserver.Server
		srv = newServer(nil, nil, serialserver.WithHandshake(
			func(c context.Context, conn net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
				r, err := srv.Shutdown(c)
				require.Equal(t, serialserver.Report{}, r)
				return c, conn, nil, nil, err
			}, 0))
		s := listen(context.Background(), srv).dial(t)
		s.wants(goodbye)
		require.Zero(t, time.Since(s.start))
		s.Close()
		srv.Wait()
		require.Equal(t, serialserver.Report{Idle: 1}, (<-shutDown(srv, 0)).Report)
	})
}

// Those that come to HandleConnection when the stop has begun are refused, and not waited for: an accept loop that
// goes on cannot hold it up.
func TestNewcomersDoNotHoldShutdownUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, sleeper(time.Minute))
		running := connect(t, srv)
		running.send(request(testTask, ""))
		synctest.Wait()
		done := shutDown(srv, 0)
		for range 599 {
			sleep(100 * time.Millisecond)
			connect(t, srv).wants(goodbye) // and it lingers, as long as it can
		}
		running.wants(ok(""), goodbye)
		running.Close()
		r := <-done
		require.Equal(t, time.Minute, r.after)
		require.Equal(t, 1, r.Drained)
		require.Equal(t, 599, r.Idle)
	})
}
