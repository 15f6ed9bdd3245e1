package serialserver_test

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

func answers(text string) task {
	return func(ctx, client, reader) (io.Reader, error) { return strings.NewReader(text), nil }
}

func TestNewServer(t *testing.T) {
	srv := serialserver.New(nil)
	require.Empty(t, srv.RegisteredTaskCodes())
	require.Empty(t, srv.Clients())
	require.Zero(t, srv.NumClients())
	require.NotNil(t, srv.Log())
	require.NotNil(t, srv.Metrics())
	srv.Wait()
	srv.Disconnect(0)
	f, name, ok := srv.TaskFunc(1)
	require.Nil(t, f)
	require.Empty(t, name)
	require.False(t, ok)
	_, _, ok = srv.TaskFunc(serial.TaskKeepAlive)
	require.False(t, ok)
}

// The caller's Timeout is not kept.
func TestNewCopiesTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timeout := serialserver.Timeout{Wait: time.Minute}
		srv := newServer(&timeout, nil)
		require.Equal(t, serialserver.Timeout{Wait: time.Minute}, timeout)
		timeout.Wait = time.Hour
		s := connect(t, srv)
		s.wants(goodbye)
		require.Equal(t, time.Minute, time.Since(s.start))
	})
}

func TestDefaults(t *testing.T) {
	require.Equal(t, 30*time.Minute, serialserver.DefaultWait)
	require.Equal(t, 5*time.Second, serialserver.DefaultRead)
	require.Equal(t, 5*time.Second, serialserver.DefaultWrite)
	require.Equal(t, 256<<10, serialserver.DefaultUnreadInput)
}

// A server of which nothing is said has a limit for everything, and these are those of docs/protocol.md.
func TestDefaultsAreFinite(t *testing.T) {
	want := serialserver.Bounds{
		Clients: 16384, ClientsPerAddress: 4096,
		MessageMemory: 64 << 20, MessageMemoryPerAddress: 16 << 20,
		Limits: serialserver.Limits{
			UnreadInput: 256 << 10, MinRate: 64, MinRateWindow: 10 * time.Second,
			MessageTime: time.Hour, TaskTime: 24 * time.Hour, MaxMessage: 4 << 20, MaxAnswer: 4 << 20,
		},
		Handshake: 10 * time.Second,
	}
	require.Equal(t, want, serialserver.BoundsOf(serialserver.New(nil)))
	limits := reflect.ValueOf(want.Limits) // a field that is added needs a default, and a line here
	for i := range limits.NumField() {
		require.False(t, limits.Field(i).IsZero(), limits.Type().Field(i).Name)
	}
}

func TestRegisterPanics(t *testing.T) {
	srv := serialserver.New(nil)
	for code := 250; code < 256; code++ {
		require.PanicsWithValue(t, "serialserver: Register of the reserved task code "+serial.TaskCode(code).String(),
			func() { srv.Register(serial.TaskCode(code), task(empty).run, "") })
	}
	require.PanicsWithValue(t, "serialserver: Register of a nil TaskFunc for task code 7",
		func() { srv.Register(7, nil, "") })
	require.Empty(t, srv.RegisteredTaskCodes())
	srv.Register(249, task(empty).run, "") // and it still works
}

func TestRegisteredTaskCodesAscend(t *testing.T) {
	srv := serialserver.New(nil)
	for _, code := range []serial.TaskCode{249, 7, 0, 100, 7} {
		srv.Register(code, task(empty).run, fmt.Sprint("task ", code))
	}
	require.Equal(t, []serial.TaskCode{0, 7, 100, 249}, srv.RegisteredTaskCodes())
	f, name, ok := srv.TaskFunc(100)
	require.NotNil(t, f)
	require.Equal(t, "task 100", name)
	require.True(t, ok)
}

// Register replaces at run time: the next task of every connection runs the new one, while one
// that runs goes on.
func TestRegisterReplaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, func(ctx, client, reader) (io.Reader, error) {
			sleep(time.Minute)
			return strings.NewReader("old"), nil
		})
		s := connect(t, srv)
		s.send(request(testTask, ""))
		synctest.Wait()
		srv.Register(testTask, answers("new").run, "new")
		srv.Register(77, answers("late").run, "late")
		s.wants(ok("old"))
		s.send(request(testTask, ""), request(77, ""))
		s.wants(ok("new"), ok("late"))
		_, name, _ := srv.TaskFunc(testTask)
		require.Equal(t, "new", name)
	})
}

func wraps(name string) func(serialserver.TaskFunc) serialserver.TaskFunc {
	return func(next serialserver.TaskFunc) serialserver.TaskFunc {
		return func(ctx ctx, c client, in reader, lg logger, args ...interface{}) (reading, error) {
			out, err := next(ctx, c, in, lg, args...)
			if err != nil {
				return nil, err
			}
			text, err := io.ReadAll(out)
			return strings.NewReader(name + "(" + string(text) + ")"), err
		}
	}
}

// The first middleware is the outermost, whether it came before or after its tasks.
func TestUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serialserver.New(nil)
		srv.Register(1, answers("before").run, "")
		srv.Use(wraps("a"), wraps("b"))
		srv.Register(2, answers("between").run, "")
		srv.Use()
		srv.Use(wraps("c"))
		srv.Register(3, answers("after").run, "")
		s := connect(t, srv)
		s.send(request(1, ""), request(2, ""), request(3, ""), request(serial.TaskKeepAlive, ""), request(9, ""))
		s.wants(ok("a(b(c(before)))"), ok("a(b(c(between)))"), ok("a(b(c(after)))"), ok(""), failed(250))

		f, _, _ := srv.TaskFunc(1) // without middleware
		out, err := f(t.Context(), nil, nil, nil)
		require.NoError(t, err)
		text, err := io.ReadAll(out)
		require.NoError(t, err)
		require.Equal(t, "before", string(text))
	})
}

func TestClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		var sessions []*session
		for i := range 20 {
			sessions = append(sessions, connect(t, srv, serialtest.Addrs(serialtest.Addr(fmt.Sprint(i)), serialtest.Addr("server"))))
			synctest.Wait()
			require.Equal(t, i+1, srv.NumClients())
			if i%2 == 0 { // some at the same time
				sleep(time.Second)
			}
		}
		clients := srv.Clients()
		for i, c := range clients {
			require.Equal(t, fmt.Sprint(i), c.RemoteAddr().String(), "in the order of arrival")
			require.Equal(t, "server", c.LocalAddr().String())
			require.Equal(t, fmt.Sprint(i, "->server"), c.String())
			require.Same(t, srv, c.Server())
			require.True(t, c.Timestamp().Equal(sessions[i].start))
		}
		require.True(t, slices.IsSortedFunc(clients, func(a, b client) int { return a.Timestamp().Compare(b.Timestamp()) }))
		sessions[3].Close()
		sessions[3].result()
		require.Equal(t, 19, srv.NumClients())
		require.NotContains(t, srv.Clients(), clients[3])
	})
}

func TestServerDisconnectReachesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, sleeper(time.Minute))
		var sessions []*session
		for i := range 10 {
			sessions = append(sessions, connect(t, srv))
			if i%2 == 0 {
				sessions[i].send(request(testTask, ""))
			}
		}
		synctest.Wait()
		srv.Disconnect(time.Hour)
		for i, s := range sessions {
			if i%2 == 0 {
				s.wants(ok(""))
			}
			s.wants(goodbye)
			s.Close()
			require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
		}
		s := connect(t, srv) // those who come later are served
		s.send(request(echoTask, "x"))
		s.wants(ok("x"))
	})
}

// Several may wait, again and again.
func TestServerWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		for range 3 {
			first, second := connect(t, srv), connect(t, srv)
			synctest.Wait()
			var waiters sync.WaitGroup
			waited := make(chan struct{})
			for range 5 {
				waiters.Go(srv.Wait)
			}
			go func() { waiters.Wait(); close(waited) }()
			first.Close()
			first.result()
			synctest.Wait()
			select {
			case <-waited:
				t.Fatal("one is still there")
			default:
			}
			second.Close()
			<-waited
			srv.Wait()
		}
	})
}
