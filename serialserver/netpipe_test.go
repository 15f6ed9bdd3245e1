package serialserver_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
)

// net.Pipe works too, with its writes that wait for their reader and its end without half-close.
func TestNetPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clientEnd, serverEnd := net.Pipe()
		srv := newServer(nil, nil)
		s := serve(t, context.Background(), srv, clientEnd, serverEnd)
		s.send(request(echoTask, "hello"))
		s.wants(ok("hello"))
		sent := s.sendAside(request(emptyTask, "unread"), request(echoTask, "bye"))
		s.wants(ok(""), ok("bye"))
		<-sent
		synctest.Wait()
		srv.Disconnect(time.Second)
		s.wants(goodbye)
		s.wantsEnd()
		require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
	})
}

// A client of a net.Pipe that vanishes is noticed by reading ahead.
func TestVanishedClientOfANetPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clientEnd, serverEnd := net.Pipe()
		f, causes := untilStopped(time.Hour)
		s := serve(t, context.Background(), newServer(nil, f), clientEnd, serverEnd)
		s.send(request(testTask, ""))
		s.Close()
		got := <-causes
		require.Equal(t, serialserver.ErrClientVanished, got.cause)
		require.LessOrEqual(t, got.after, vanishes)
	})
}
