package serialserver_test

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
)

// socketPair returns both ends of a real connection.
func socketPair(t *testing.T, network string) (client, server net.Conn) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	listener, err := net.Listen(network, address)
	require.NoError(t, err)
	defer listener.Close()
	client, err = net.Dial(network, listener.Addr().String())
	require.NoError(t, err)
	server, err = listener.Accept()
	require.NoError(t, err)
	return client, server
}

// awaitEvent waits until the kernel tells the server's end of some condition. The bubble's time
// stands still meanwhile.
func awaitEvent(t *testing.T, conn net.Conn, events uint32) {
	t.Helper()
	ep, err := syscall.EpollCreate1(0)
	require.NoError(t, err)
	defer syscall.Close(ep)
	raw, err := conn.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		require.NoError(t, syscall.EpollCtl(ep, syscall.EPOLL_CTL_ADD, int(fd), &syscall.EpollEvent{Events: events}))
		for n := 0; n == 0; {
			n, err = syscall.EpollWait(ep, make([]syscall.EpollEvent, 1), 10_000)
			if err == syscall.EINTR {
				n, err = 0, nil
			}
			require.NoError(t, err)
		}
	}))
}

// The kernel is asked, on a connection of its own or below another, and knows of an end behind
// unread input too.
func TestVanishedClientOfASocket(t *testing.T) {
	ends := map[string]func(*session){
		"half-close": (*session).closeWrite,
		"close":      func(s *session) { s.Close() },
		"reset":      (*session).reset,
	}
	for _, network := range []string{"tcp", "unix"} {
		for name, end := range ends {
			for _, unread := range []int{0, 10, 40_000} {
				if network == "unix" && name == "reset" {
					continue // there is none
				}
				t.Run(network+" "+name, func(t *testing.T) {
					clientEnd, serverEnd := socketPair(t, network)
					synctest.Test(t, func(t *testing.T) {
						vanishOnSocket(t, clientEnd, serverEnd, unread, end)
					})
				})
			}
		}
	}
}

func vanishOnSocket(t *testing.T, clientEnd, serverEnd net.Conn, unread int, end func(*session)) {
	f, causes := untilStopped(time.Hour)
	began := make(chan struct{})
	srv := newServer(nil, task(f), serialserver.WithLimits(serialserver.Limits{UnreadInput: 1 << 30}))
	srv.Use(func(next serialserver.TaskFunc) serialserver.TaskFunc {
		return func(ctx ctx, c client, in reader, lg logger, args ...interface{}) (reading, error) {
			close(began)
			return next(ctx, c, in, lg, args...)
		}
	})
	s := serve(t, context.Background(), srv, clientEnd, serverEnd)
	s.send(beginning(testTask, strings.Repeat("x", unread)))
	<-began
	sleep(time.Second)
	end(s)
	awaitEvent(t, serverEnd, syscall.EPOLLRDHUP)
	got := <-causes
	require.Equal(t, serialserver.ErrClientVanished, got.cause)
	require.GreaterOrEqual(t, got.after, time.Second)
	require.LessOrEqual(t, got.after, time.Second+vanishes)
}

// The client sends 1 MiB, as far as the kernel takes it, to a task that reads none of
// it, and then vanishes.
func TestVanishedBehindMuchUnreadInput(t *testing.T) {
	const unread = 1 << 20
	for name, end := range map[string]func(*session){
		"half-close": (*session).closeWrite,
		"close":      func(s *session) { s.Close() },
		"reset":      (*session).reset,
	} {
		t.Run(name, func(t *testing.T) {
			clientEnd, serverEnd := socketPair(t, "tcp")
			require.NoError(t, serverEnd.(*net.TCPConn).SetReadBuffer(4<<20))
			require.NoError(t, clientEnd.(*net.TCPConn).SetWriteBuffer(4<<20))
			synctest.Test(t, func(t *testing.T) { vanishOnSocket(t, clientEnd, serverEnd, unread, end) })
		})
	}
}

// A client that has only half-closed gets the answer of the task that it cancelled.
func TestHalfCloseOfASocketGetsItsAnswer(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		clientEnd, serverEnd := socketPair(t, network)
		synctest.Test(t, func(t *testing.T) {
			f, causes := untilStopped(time.Hour)
			s := serve(t, context.Background(), newServer(nil, f), clientEnd, serverEnd)
			s.send(request(testTask, ""))
			s.closeWrite()
			require.Equal(t, serialserver.ErrClientVanished, (<-causes).cause)
			s.wants(ok("done"))
			s.wantsEnd()
			require.NoError(t, s.result())
		})
	}
}
