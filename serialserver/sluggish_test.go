package serialserver_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// sluggish is a connection whose failing reads return after a second: what a busy machine does.
type sluggish struct {
	net.Conn
	reading atomic.Int32
}

func (s *sluggish) Read(p []byte) (int, error) {
	s.reading.Add(1)
	defer s.reading.Add(-1)
	n, err := s.Conn.Read(p)
	if err != nil {
		sleep(time.Second)
	}
	return n, err
}

func (s *sluggish) CloseWrite() error {
	return s.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

func connectSluggish(t *testing.T, srv *serialserver.Server) (*session, *sluggish) {
	clientEnd, serverEnd := serialtest.Pipe()
	slow := &sluggish{Conn: serverEnd}
	return serve(t, context.Background(), srv, clientEnd, slow), slow
}

// An idle connection gets its Goodbye however long its goroutine takes to wake up: nothing cuts it
// off, for nothing waits to be written.
func TestDisconnectIdleOnABusyMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		s, _ := connectSluggish(t, srv)
		s.send(request(echoTask, "x"))
		s.wants(ok("x"))
		synctest.Wait()
		srv.Disconnect(0)
		s.wants(goodbye)
		s.Close()
		require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
	})
}

// HandleConnection returns when nothing of the connection runs any more, the reading ahead
// included.
func TestNothingOutlastsHandleConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, causes := untilStopped(time.Hour)
		srv := newServer(nil, f)
		s, slow := connectSluggish(t, srv)
		s.send(request(testTask, ""))
		sleep(time.Second)
		synctest.Wait()
		require.Equal(t, int32(1), slow.reading.Load(), "it reads ahead")
		require.NoError(t, srv.Clients()[0].Close())
		require.ErrorIs(t, s.result(), serialserver.ErrClosed)
		require.Zero(t, slow.reading.Load())
		require.Equal(t, serialserver.ErrClosed, (<-causes).cause)
	})
}

// slowClose is a connection whose Close takes a second, as that of a layer that says something may.
type slowClose struct{ *writes }

func (c slowClose) Close() error {
	sleep(time.Second)
	return c.writes.Close()
}

// A task that answers because it is told that its connection is being closed comes too late, even
// if closing lasts.
func TestNoAnswerOnceTheConnectionIsShut(t *testing.T) {
	for name, shut := range map[string]func(client){
		"closed":  func(c client) { c.Close() },
		"cut off": func(c client) { c.Disconnect(0) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, _ := untilStopped(time.Hour)
				srv := newServer(nil, f)
				clientEnd, serverEnd := serialtest.Pipe()
				s := serve(t, context.Background(), srv, clientEnd, slowClose{&writes{Conn: serverEnd}})
				s.send(request(testTask, ""))
				synctest.Wait()
				shut(srv.Clients()[0])
				s.wantsEnd()
				require.Error(t, s.result())
			})
		})
	}
}

// Both sides close at the same time.
func TestCloseOfAClientThatHasJustClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		s, _ := connectSluggish(t, srv)
		synctest.Wait()
		s.Close()
		synctest.Wait()
		require.NoError(t, srv.Clients()[0].Close())
		require.ErrorIs(t, s.result(), serialserver.ErrClosed)
	})
}

// slowFirstClose is a connection whose first Close takes a second, and no other.
type slowFirstClose struct {
	*writes
	begun, ended atomic.Bool
}

func (c *slowFirstClose) Close() error {
	if !c.begun.CompareAndSwap(false, true) {
		return c.writes.Close()
	}
	defer c.ended.Store(true)
	sleep(time.Second)
	return c.writes.Close()
}

// HandleConnection returns when the timer that has cut its task off is done with the connection.
func TestTimersDoNotOutlastHandleConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := untilStopped(time.Hour)
		srv := newServer(nil, f)
		clientEnd, serverEnd := serialtest.Pipe()
		slow := &slowFirstClose{writes: &writes{Conn: serverEnd}}
		s := serve(t, context.Background(), srv, clientEnd, slow)
		s.send(request(testTask, ""))
		synctest.Wait()
		srv.Disconnect(0)
		require.ErrorIs(t, s.result(), serialserver.ErrDisconnectTimeout)
		require.True(t, slow.ended.Load())
		require.Equal(t, time.Second, s.lasted)
	})
}
