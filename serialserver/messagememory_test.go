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

// clientAt says where a client comes from.
func clientAt(host string) serialtest.Option {
	return serialtest.Addrs(serialtest.Addr(host+":40000"), serialtest.Addr("server"))
}

// A message within its limit is handled however little memory there is, as long as no other one is held.
func TestAMessageAloneIsNeverRefused(t *testing.T) {
	const size = 1 << 20
	limits := serialserver.WithLimits(serialserver.Limits{MaxMessage: size, UnreadInput: 2 * size})
	for name, opt := range map[string]serialserver.Option{
		"of all":        serialserver.WithMessageMemory(size),
		"of all, tiny":  serialserver.WithMessageMemory(1),
		"of an address": serialserver.WithMessageMemoryPerAddress(1),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil, limits, opt)
				whole(srv, 0)
				s := connect(t, srv, clientAt("192.0.2.1"))
				s.send(request(testTask, strings.Repeat("x", size)))
				s.wants(ok(""))
				other := connect(t, srv, clientAt("192.0.2.1"))
				other.send(beginning(testTask, strings.Repeat("x", 17<<10)))
				synctest.Wait()
				s.send(request(testTask, strings.Repeat("x", size)))
				s.wants(failed(serial.ErrorBusy))
				other.send([]byte{0})
				other.wants(ok(""))
				s.send(request(testTask, strings.Repeat("x", size)))
				s.wants(ok(""))
			})
		})
	}
}

// The slow senders of one address, or of one IPv6 network, have their share, and leave the rest to the others.
func TestMessageMemoryPerAddress(t *testing.T) {
	const held = 64 << 10 // of a message that is a little longer than half of it
	for name, test := range map[string]struct {
		opts        []serialserver.Option
		hosts       []string
		other       string
		mine, yours serialtest.Message // what one more of the first host, and one of the other, get
	}{
		"a quarter": {
			[]serialserver.Option{serialserver.WithMessageMemory(4 * 3 * held)},
			[]string{"192.0.2.1"}, "192.0.2.2", failed(serial.ErrorBusy), ok(""),
		},
		"set": {
			[]serialserver.Option{serialserver.WithMessageMemoryPerAddress(3 * held)},
			[]string{"192.0.2.1"}, "192.0.2.2", failed(serial.ErrorBusy), ok(""),
		},
		"set, one more": {
			[]serialserver.Option{serialserver.WithMessageMemoryPerAddress(3*held + held/2)},
			[]string{"192.0.2.1"}, "192.0.2.2", ok(""), ok(""),
		},
		"none": {
			[]serialserver.Option{serialserver.WithMessageMemoryPerAddress(-1)},
			[]string{"192.0.2.1"}, "192.0.2.2", ok(""), ok(""),
		},
		"network": {
			[]serialserver.Option{serialserver.WithMessageMemoryPerAddress(3 * held)},
			[]string{"[2001:db8::1]", "[2001:db8::2]"}, "[2001:db8:0:1::1]", failed(serial.ErrorBusy), ok(""),
		},
		"no address": {
			[]serialserver.Option{serialserver.WithMessageMemoryPerAddress(1)},
			[]string{"pipe"}, "pipe", ok(""), ok(""),
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil, test.opts...)
				whole(srv, 0)
				for i := range 2 {
					s := connect(t, srv, clientAt(test.hosts[i%len(test.hosts)]))
					s.send(beginning(testTask, strings.Repeat("x", 33<<10)))
					synctest.Wait()
				}
				for host, want := range map[string]serialtest.Message{test.hosts[0]: test.mine, test.other: test.yours} {
					s := connect(t, srv, clientAt(host))
					s.send(request(testTask, strings.Repeat("x", 33<<10)))
					s.wants(want)
				}
			})
		})
	}
}

// What the clients of many addresses had is given back: nothing is kept of them.
func TestMessageMemoryForgetsAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		whole(srv, 0)
		for i := range 20 {
			s := connect(t, srv, clientAt(fmt.Sprintf("192.0.2.%d", i)))
			s.send(request(testTask, strings.Repeat("x", 100<<10)))
			s.wants(ok(""))
		}
		used, hosts := serialserver.MessageMemory(srv)
		require.Zero(t, used)
		require.Zero(t, hosts)
	})
}

// A task that other middleware has given up gives back what its message has, though it goes on reading.
func TestMessageMemoryOfATaskThatIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		ended := make(chan struct{})
		srv.Use(func(f serialserver.TaskFunc) serialserver.TaskFunc {
			return func(ctx ctx, c client, in reader, lg logger, args ...any) (io.Reader, error) {
				go func() {
					defer close(ended)
					f(ctx, c, in, lg, args...)
				}()
				sleep(time.Second)
				return nil, coded(7)
			}
		})
		whole(srv, 0)
		s := connect(t, srv)
		s.send(beginning(testTask, strings.Repeat("x", 40<<10)))
		s.wants(failed(7))
		s.send(serial.AppendStream(nil, []byte(strings.Repeat("x", 100<<10))))
		<-ended
		used, _ := serialserver.MessageMemory(srv)
		require.Zero(t, used)
	})
}
