package serialserver_test

import (
	"context"
	"fmt"
	"math"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// A burst may begin at once, and then one task each interval, not a nanosecond before.
func TestLimitRate(t *testing.T) {
	for _, burst := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(&serialserver.Timeout{Wait: -1}, nil)
			srv.Use(serialserver.LimitRate(10, burst, nil))
			s := connect(t, srv)
			try := func(n int, want serialtest.Message) {
				t.Helper()
				for range n {
					s.send(request(echoTask, ""))
					s.wants(want)
				}
			}
			for range 2 {
				try(burst, ok(""))
				for range 3 {
					try(2, failed(serial.ErrorBusy))
					sleep(100*time.Millisecond - 1)
					try(2, failed(serial.ErrorBusy)) // which do not count
					sleep(1)
					try(1, ok(""))
				}
				sleep(time.Hour) // no more than the burst is saved up
			}
		})
	}
}

// Each key has its rate.
func TestLimitRateByKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		srv.Use(serialserver.LimitRate(1, 1, serialserver.ByAddress))
		for host, address := range map[string]string{
			"first":                 "192.0.2.1:1",
			"another port":          "192.0.2.1:2",
			"mapped":                "[::ffff:192.0.2.1]:3",
			"second":                "192.0.2.2:1",
			"six":                   "[2001:db8::1]:1",
			"six, the same network": "[2001:db8::2]:1",
			"six, a zone":           "[2001:db8::2%eth0]:1",
			"six, another network":  "[2001:db8:0:1::1]:1",
		} {
			tcp, err := net.ResolveTCPAddr("tcp", address)
			require.NoError(t, err, host)
			client, server := serialtest.Pipe()
			s := serve(t, t.Context(), srv, client, from{server, tcp})
			sleep(time.Second)
			s.send(request(echoTask, "x"), request(echoTask, "y"))
			s.wants(ok("x"), failed(serial.ErrorBusy))
		}
	})
}

// from is a connection whose other end has an address of the test's.
type from struct {
	net.Conn
	remote net.Addr
}

func (f from) RemoteAddr() net.Addr { return f.remote }

func TestByAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for address, want := range map[net.Addr]string{
			&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}:                         "192.0.2.1/32",
			&net.TCPAddr{IP: net.ParseIP("2001:db8:1:2:3:4:5:6"), Zone: "e", Port: 1}: "2001:db8:1:2::/64",
			&net.TCPAddr{}:                  "",
			(*net.TCPAddr)(nil):             "",
			serialtest.Addr("192.0.2.1:77"): "192.0.2.1/32",
			serialtest.Addr("pipe"):         "",
			&net.UnixAddr{Name: "@"}:        "",
			nil:                             "",
		} {
			srv := newServer(nil, nil)
			client, server := serialtest.Pipe()
			serve(t, t.Context(), srv, client, from{server, address})
			synctest.Wait()
			require.Equal(t, want, serialserver.ByAddress(srv.Clients()[0]), "%v", address)
		}
	})
}

// So many keys that are in use find room and no more; those of which nothing was heard for long make room.
func TestLimitRateKeysAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := 0
		srv := newServer(nil, nil)
		srv.Use(serialserver.LimitRate(1, 1, func(client) string { key++; return fmt.Sprint(key) }))
		s := connect(t, srv)
		burst := func(n int, want serialtest.Message) {
			for range n {
				s.send(request(echoTask, ""))
				s.wants(want)
			}
		}
		burst(1<<15, ok(""))
		sleep(time.Second / 2)
		burst(1<<15, ok(""))
		burst(10, failed(serial.ErrorBusy))
		sleep(time.Second / 2)
		burst(1<<15, ok(""))
		burst(10, failed(serial.ErrorBusy))
	})
}

// Nor is there more room when time has passed and all of them are still in use.
func TestLimitRateKeysInUseStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 1
		srv := newServer(nil, nil)
		srv.Use(serialserver.LimitRate(1, 2, func(client) string { n++; return fmt.Sprint(n / 2) }))
		s := connect(t, srv)
		for n < 1<<17+1 {
			s.send(request(echoTask, ""))
			s.wants(ok(""))
		}
		sleep(time.Second + 1)
		s.send(request(echoTask, ""))
		s.wants(failed(serial.ErrorBusy))
	})
}

// Rates and bursts of any size limit by what they say, as far as anybody can tell.
func TestLimitRateOfAnySize(t *testing.T) {
	for name, test := range map[string]struct {
		perSecond float64
		burst     int
		later     time.Duration
		want      []bool // of tasks, one after the other; the last one later
	}{
		"next to nothing":         {math.SmallestNonzeroFloat64, 1, 10 * 365 * 24 * time.Hour, []bool{true, false, false}},
		"rare":                    {1e-12, 2, 10 * 365 * 24 * time.Hour, []bool{true, true, false, false}},
		"rare, and a great burst": {1e-9, math.MaxInt, 0, []bool{true, true, true, true}},
		"great burst":             {1, math.MaxInt, 0, []bool{true, true, true, true}},
		"everything":              {math.Inf(1), 1, 1, []bool{true, false, true}},
		"more than there are":     {math.MaxFloat64, math.MaxInt, 1, []bool{true, true, true}},
		"one in a century, burst": {1 / (100 * 365 * 24 * 3600.0), 2, 0, []bool{true, true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				run := serialserver.LimitRate(test.perSecond, test.burst, nil)(task(empty).run)
				for i, want := range test.want {
					if i == len(test.want)-1 {
						sleep(test.later)
					}
					_, err := run(context.Background(), nil, nil, nil)
					require.Equal(t, want, err == nil, "task %d: %v", i, err)
				}
			})
		})
	}
}

func TestLimitRatePanics(t *testing.T) {
	for _, rate := range []float64{0, -1, math.NaN()} {
		require.Panics(t, func() { serialserver.LimitRate(rate, 1, nil) })
	}
	require.Panics(t, func() { serialserver.LimitRate(1, 0, nil) })
}
