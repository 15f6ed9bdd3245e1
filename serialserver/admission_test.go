package serialserver_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// hosts is a session with a server, from an address of the test's: by HandleConnection or by Serve.
type hosts map[string]func(t *testing.T, srv *serialserver.Server, address string) *session

var ways = hosts{
	"HandleConnection": func(t *testing.T, srv *serialserver.Server, address string) *session {
		client, server := serialtest.Pipe(serialtest.Addrs(serialtest.Addr(address), serialtest.Addr("server")))
		return serve(t, context.Background(), srv, client, server)
	},
	"Serve": func(t *testing.T, srv *serialserver.Server, address string) *session {
		l := listen(t.Context(), srv)
		return l.dial(t, serialtest.Addrs(serialtest.Addr(address), serialtest.Addr("server")))
	},
}

// A client beyond the limit is told Goodbye, whatever it has sent, and there is room again when one has gone.
func TestMaxClients(t *testing.T) {
	const limit = 3
	for name, test := range map[string]struct {
		opt     serialserver.Option
		address string // with a verb for the number of the client
	}{
		"in all":              {serialserver.WithMaxClients(limit), "192.0.2.%d:1"},
		"in all, no address":  {serialserver.WithMaxClients(limit), "pipe %d"},
		"per address":         {serialserver.WithMaxClientsPerAddress(limit), "192.0.2.1:%d"},
		"per address, IPv6":   {serialserver.WithMaxClientsPerAddress(limit), "[2001:db8::%d]:1"},
		"both, all first":     {both(limit, limit), "192.0.2.1:%d"},
		"per address, mapped": {serialserver.WithMaxClientsPerAddress(limit), "[::ffff:192.0.2.1]:%d"},
	} {
		for way, connect := range ways {
			t.Run(name+" "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var m serialserver.MemoryMetrics
					srv := newServer(nil, nil, test.opt)
					srv.SetMetrics(&m)
					n := 0
					next := func() *session {
						n++
						s := connect(t, srv, fmt.Sprintf(test.address, n))
						synctest.Wait()
						return s
					}
					var s []*session
					for range limit {
						s = append(s, next())
					}
					for range 2 {
						late := next()
						require.Equal(t, limit, srv.NumClients())
						require.Len(t, srv.Clients(), limit)
						late.Write(request(echoTask, "not run"))
						late.wants(goodbye)
						late.wantsEnd()
						late.Close()
						if late.result(); way == "HandleConnection" {
							require.Equal(t, serialserver.ErrTooManyClients, late.err)
						}
					}
					for _, s := range s {
						s.send(request(echoTask, "x"))
						s.wants(ok("x"))
					}
					s[1].Close()
					synctest.Wait()
					s[1] = next()
					s[1].send(request(echoTask, "x"))
					s[1].wants(ok("x"))
					for _, s := range s {
						s.Close()
					}
					srv.Wait()
					require.Equal(t, map[serialserver.CloseReason]uint64{
						serialserver.ClosedByPeer: limit + 1, serialserver.ClosedRefused: 2,
					}, m.Connections().Closed)
					require.Equal(t, uint64(limit+1), m.Tasks(echoTask).OK, "none of the refused")
				})
			})
		}
	}
}

// both sets both limits.
func both(all, perAddress int) serialserver.Option {
	return func(s *serialserver.Server) {
		serialserver.WithMaxClients(all)(s)
		serialserver.WithMaxClientsPerAddress(perAddress)(s)
	}
}

// One address that has all it may have is no obstacle for another one, nor do connections without one count.
func TestAddressesAreApart(t *testing.T) {
	for way, connect := range ways {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil, serialserver.WithMaxClientsPerAddress(1))
				for _, address := range []string{"192.0.2.1:1", "192.0.2.2:1", "[2001:db8::1]:1", "[2001:db8:0:1::1]:1", "pipe", "pipe"} {
					s := connect(t, srv, address)
					s.send(request(echoTask, "x"))
					s.wants(ok("x"))
				}
				connect(t, srv, "192.0.2.1:2").wants(goodbye)
				srv.Close()
			})
		})
	}
}

// Those of one address that are refused take no room from the others.
func TestRefusedTakeNoRoom(t *testing.T) {
	for way, connect := range ways {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil, both(2, 1))
				connect(t, srv, "192.0.2.1:1")
				synctest.Wait()
				for range 10 {
					connect(t, srv, "192.0.2.1:2").wants(goodbye)
				}
				s := connect(t, srv, "192.0.2.2:1")
				s.send(request(echoTask, "x"))
				s.wants(ok("x"))
				connect(t, srv, "192.0.2.3:1").wants(goodbye)
				srv.Close()
			})
		})
	}
}

func TestNoMaxClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil, both(-1, -1))
		for range 50 {
			s := ways["HandleConnection"](t, srv, "192.0.2.1:1")
			s.send(request(echoTask, "x"))
			s.wants(ok("x"))
		}
	})
}

// A client in its handshake takes up room; who is beyond is told after the handshake.
func TestMaxClientsInTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serialserver.New(nil, serialserver.WithHandshake(hello, 0), serialserver.WithMaxClients(1))
		srv.Register(echoTask, task(echo).run, "echo")
		l := listen(context.Background(), srv)
		one := l.dial(t)
		synctest.Wait()
		other := l.dial(t)
		other.wantsSilence()
		other.send([]byte("n"))
		other.wants(goodbye)
		one.send([]byte("n"), request(echoTask, "x"))
		one.wants(ok("x"))
		one.Close()
		synctest.Wait()
		failing := l.dial(t)
		failing.send([]byte("!"))
		failing.wantsEnd()
		failing.Close()
		synctest.Wait()
		other = l.dial(t)
		other.send([]byte("n"), request(echoTask, "x"))
		other.wants(ok("x"))
		srv.Close()
	})
}

// So many are told Goodbye at a time; more are closed without a word, and counted.
func TestRefusalsAreBounded(t *testing.T) {
	for way, connect := range ways {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var m serialserver.MemoryMetrics
				lg, logs := observed()
				srv := newServer(nil, nil, serialserver.WithMaxClients(0))
				serialserver.WithMaxClients(1)(srv)
				srv.SetMetrics(&m)
				srv.SetLogger(lg)
				one := connect(t, srv, "192.0.2.1:1")
				synctest.Wait()
				var refused []*session
				for range 128 {
					refused = append(refused, connect(t, srv, "192.0.2.1:2"))
					synctest.Wait()
				}
				dropped := connect(t, srv, "192.0.2.1:3")
				dropped.wantsEnd()
				require.ErrorIs(t, dropped.result(), expectedOf(way))
				require.Zero(t, time.Since(one.start))
				for _, s := range refused {
					s.wants(goodbye)
					s.Close()
				}
				synctest.Wait()
				connect(t, srv, "192.0.2.1:4").wants(goodbye)
				sleep(time.Second)
				connect(t, srv, "192.0.2.1:5").wants(goodbye)
				synctest.Wait()
				one.Close()
				srv.Wait()
				require.Equal(t, map[serialserver.CloseReason]uint64{
					serialserver.ClosedByPeer: 1, serialserver.ClosedRefused: 131,
				}, m.Connections().Closed)
				lines := logs.FilterMessage("no room for clients").All()
				require.Len(t, lines, 2, "one a second")
				require.Equal(t, int64(1), lines[0].ContextMap()["refused"])
				require.Equal(t, int64(130), lines[1].ContextMap()["refused"])
			})
		})
	}
}

// expectedOf is what HandleConnection returned to a session that was refused.
func expectedOf(way string) error {
	if way == "HandleConnection" {
		return serialserver.ErrTooManyClients
	}
	return nil
}

// Shutdown waits for those that are just being refused, and cuts them off.
func TestShutdownWhileRefusing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil, serialserver.WithMaxClients(1))
		one := connect(t, srv)
		synctest.Wait()
		refused := connect(t, srv, serialtest.Buffer(0)) // it takes no Goodbye
		synctest.Wait()
		one.Close()
		one.result()
		got := <-shutDown(srv, 100*time.Millisecond)
		require.Equal(t, 130*time.Millisecond, got.after)
		require.Equal(t, serialserver.Report{Idle: 1}, got.Report)
		refused.result()
	})
}

// Close does not wait for them.
func TestCloseWhileRefusing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil, serialserver.WithMaxClients(1))
		connect(t, srv)
		synctest.Wait()
		refused := connect(t, srv, serialtest.Buffer(0))
		synctest.Wait()
		srv.Close()
		refused.result()
		require.Zero(t, refused.lasted)
	})
}

// Who asks for its address may have to wait, behind a layer that reads a PROXY header: nobody else does.
func TestAddressThatIsNotKnownYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		l := listen(context.Background(), srv)
		client, server := serialtest.Pipe()
		slow := slowAddress{server, make(chan net.Addr)}
		l.accepts <- accepted{slow, nil}
		s := l.dial(t)
		s.send(request(echoTask, "x"))
		s.wants(ok("x"))
		close(slow.address)
		late := sessionOf(t, client)
		late.send(request(echoTask, "y"))
		late.wants(ok("y"))
		srv.Close()
	})
}

type slowAddress struct {
	net.Conn
	address chan net.Addr
}

func (s slowAddress) RemoteAddr() net.Addr { return <-s.address }

// Where nothing is said of it one address has a quarter of the room, however little that is.
func TestMaxClientsPerAddressFollows(t *testing.T) {
	for all, want := range map[int]int{1: 1, 3: 1, 7: 1, 8: 2, 40: 10} {
		for name, opts := range map[string][]serialserver.Option{
			"not given": {serialserver.WithMaxClients(all)},
			"0, before": {serialserver.WithMaxClientsPerAddress(0), serialserver.WithMaxClients(all)},
		} {
			t.Run(fmt.Sprint(all, " ", name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					srv := newServer(nil, nil, opts...)
					for i := range want + 1 {
						ways["HandleConnection"](t, srv, fmt.Sprintf("192.0.2.1:%d", i))
					}
					synctest.Wait()
					require.Equal(t, want, srv.NumClients())
					ways["HandleConnection"](t, srv, "192.0.2.2:1")
					synctest.Wait()
					require.Equal(t, min(want+1, all), srv.NumClients())
				})
			})
		}
	}
}
