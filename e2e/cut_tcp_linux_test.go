package e2e_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

var (
	cutAll  = flag.Bool("cut.all", false, "TestExchangesCutOverTCP: cut at every byte, not at some")
	cutSeed = flag.Uint64("cut.seed", 0, "TestExchangesCutOverTCP: the seed that chooses the bytes; 0 draws one")
)

// The mean distance of the bytes that are cut at by default. A stall takes both ends' timeouts.
const (
	cutStep      = 8
	cutStallStep = 40
)

// cutHang is what nothing over TCP takes, however busy the machine is.
const cutHang = 45 * time.Second

// tcpPairs returns a function that makes connected TCP connections on loopback.
func tcpPairs(t *testing.T) func() (net.Conn, net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	var mu sync.Mutex // from the dialling to the accepting of the same connection
	return func() (net.Conn, net.Conn) {
		mu.Lock()
		defer mu.Unlock()
		near, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			panic(err)
		}
		far, err := l.Accept()
		if err != nil {
			panic(err)
		}
		return near, far
	}
}

// descriptors counts the open ones of this process.
func descriptors(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}

// tcpCuts is what the goroutines of TestExchangesCutOverTCP have in common.
type tcpCuts struct {
	setup cutSetup
	seed  uint64

	mu       sync.Mutex // guards what follows
	outcomes map[string]int
	fired    map[string]int
	runs     int
}

// TestExchangesCutOverTCP runs the twelve exchanges over TCP on loopback, with each fault, in both directions, at
// bytes that the seed chooses, or with -cut.all at all of them. Goroutines and descriptors are back at the baseline.
func TestExchangesCutOverTCP(t *testing.T) {
	serialtest.CheckLeaks(t)
	c := &tcpCuts{seed: *cutSeed, outcomes: map[string]int{}, fired: map[string]int{}}
	if c.seed == 0 {
		c.seed = rand.Uint64()
	}
	c.setup = inMemory
	c.setup.pair = tcpPairs(t)
	c.setup.pause = func(time.Duration) {}
	bounded(exchanges[0], c.setup, serialtest.ClientByte(1<<40).Reset()) // what the runtime opens once and keeps
	before := descriptors(t)
	for i, kind := range cutFaults {
		var all sync.WaitGroup
		for j, x := range exchanges {
			for w, way := range cutWays {
				rnd := rand.New(rand.NewPCG(c.seed, uint64(i<<16|j<<8|w)))
				work := func() { c.cutAtBytes(t, x, kind, way.at, rnd) }
				if kind.name == "stall" { // which waits and does not work
					all.Go(work)
				} else {
					work()
				}
			}
		}
		all.Wait()
		require.Equal(t, before, descriptors(t), "%s leaves descriptors", kind.name)
		require.NotZero(t, c.fired[kind.name], "%s never fired", kind.name)
	}
	t.Logf("seed %d: %d runs, faults fired: %v, outcomes of calls: %v", c.seed, c.runs, c.fired, c.outcomes)
}

// cutAtBytes moves the fault on until there is no such byte.
func (c *tcpCuts) cutAtBytes(t *testing.T, x exchange, kind cutFault, at func(int64) serialtest.Place, rnd *rand.Rand) {
	step, setup, stalls := cutStep, c.setup, kind.name == "stall"
	if stalls {
		step = cutStallStep
		setup.client = serialclient.Timeout{Wait: 300 * time.Millisecond, Read: 300 * time.Millisecond, Write: 300 * time.Millisecond}
		setup.server = serialserver.Timeout{Wait: 600 * time.Millisecond, Read: 300 * time.Millisecond, Write: 300 * time.Millisecond}
	}
	if *cutAll {
		step = 1
	}
	for k := 0; ; k += 1 + rnd.IntN(2*step-1) {
		fault := kind.make(at(int64(k)))
		r := bounded(x, setup, fault)
		outcomes := map[string]int{}
		// The short timeouts may be over on a busy machine without a stall.
		if err := r.check(!stalls && (kind.whole || fault.Fired() == 0), outcomes); err != nil {
			t.Errorf("seed %d: %s, %v: %v", c.seed, x.name, fault, err)
			return
		}
		if c.add(kind, outcomes, fault.Fired() > 0); fault.Fired() == 0 {
			return
		}
	}
}

// bounded runs the exchange, and panics with all stacks if it hangs.
func bounded(x exchange, setup cutSetup, fault *serialtest.ProxyFault) *cutRun {
	hang := time.AfterFunc(cutHang, func() { panic(fmt.Sprintf("%s, %v: hangs", x.name, fault)) })
	defer hang.Stop()
	return x.run(setup, fault)
}

func (c *tcpCuts) add(kind cutFault, outcomes map[string]int, fired bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs++
	if fired {
		c.fired[kind.name]++
	}
	for outcome, n := range outcomes {
		c.outcomes[outcome] += n
	}
}
