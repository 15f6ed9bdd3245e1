package e2e_test

import (
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// cutFault is one kind of fault, at a byte of either direction. whole: no byte is lost or comes too late.
type cutFault struct {
	name  string
	whole bool
	make  func(serialtest.Place) *serialtest.ProxyFault
}

var cutFaults = []cutFault{
	{"FIN", false, serialtest.Place.HalfClose},
	{"RST", false, serialtest.Place.Reset},
	{"stall", false, serialtest.Place.Stall},
	{"one-byte writes", true, func(p serialtest.Place) *serialtest.ProxyFault { return p.Drip(time.Nanosecond) }},
}

// cutWays are the directions.
var cutWays = []struct {
	name string
	at   func(int64) serialtest.Place
}{{"requests", serialtest.ClientByte}, {"responses", serialtest.ServerByte}}

// inMemory has timeouts that an exchange without a fault never comes near to.
var inMemory = cutSetup{
	pair:   func() (net.Conn, net.Conn) { return serialtest.Pipe() },
	client: serialclient.Timeout{Wait: 10 * time.Second, Read: 10 * time.Second, Write: 10 * time.Second},
	server: serialserver.Timeout{Wait: 20 * time.Second, Read: 5 * time.Second, Write: 5 * time.Second},
	pause:  func(d time.Duration) { <-time.After(d) },
}

// TestExchangesCutAtEveryByte runs the twelve exchanges in memory, in virtual time, with each fault at each
// byte of each direction. A call takes its timeout and a second at most, and no goroutine is left.
func TestExchangesCutAtEveryByte(t *testing.T) {
	require.Len(t, exchanges, 12)
	outcomes, fired, runs := map[string]int{}, map[string]int{}, 0
	for _, x := range exchanges {
		t.Run(x.name, func(t *testing.T) {
			for _, kind := range cutFaults {
				for _, way := range cutWays {
					n := cutAtEveryByte(t, x, kind, way.at, outcomes)
					require.NotZero(t, n, "no fault fired: %s in the %s", kind.name, way.name)
					fired[kind.name] += n
					runs += n + 1
				}
			}
		})
	}
	t.Logf("%d runs, faults fired: %v, outcomes of calls: %v", runs, fired, outcomes)
	for _, outcome := range []string{"ok", "not run", "failed", "unknown"} {
		require.NotZero(t, outcomes[outcome], outcome)
	}
}

// cutAtEveryByte moves the fault on until there is no such byte: that run has no fault. It returns how many had one.
func cutAtEveryByte(t *testing.T, x exchange, kind cutFault, at func(int64) serialtest.Place, outcomes map[string]int) int {
	for k := 0; ; k++ {
		fired := false
		synctest.Test(t, func(t *testing.T) { // which panics if a goroutine is left
			fault := kind.make(at(int64(k)))
			cutInMemory(t, x, fault, kind.whole, outcomes)
			fired = fault.Fired() > 0
		})
		if !fired {
			return k
		}
	}
}

func cutInMemory(t *testing.T, x exchange, fault *serialtest.ProxyFault, whole bool, outcomes map[string]int) {
	start := time.Now()
	r := x.run(inMemory, fault)
	msg := fmt.Sprintf("%s, %v", x.name, fault)
	require.NoError(t, r.check(whole || fault.Fired() == 0, outcomes), msg)
	for i, got := range r.got {
		require.LessOrEqual(t, got.took, inMemory.client.Wait+time.Second, "%s, call %d", msg, i)
	}
	// Everything has ended by the client's timeout, the exchange's pause, and the server's own timeout and linger.
	end := inMemory.client.Wait + time.Second + inMemory.server.Wait + time.Second
	require.LessOrEqual(t, time.Since(start), end, msg)
}
