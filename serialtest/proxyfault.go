package serialtest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// ProxyFault is one thing that goes wrong on the connections of a Proxy. The methods of Place make
// one. On each connection it happens once, at its place; Drip goes on from there.
//
// It may serve many connections and many proxies, and is safe for concurrent use. For a testing/synctest bubble make it
// inside.
type ProxyFault struct {
	place Place         // never changes, as all but the last three
	act   proxyAction   //
	pause time.Duration // of Drip and Delay
	mask  byte          // of Corrupt

	fired    atomic.Int64
	release  sync.Once
	released chan struct{} // closed by Release
}

// proxyAction is what a ProxyFault does.
type proxyAction string

const (
	proxyHalfClose proxyAction = "half close"
	proxyClose     proxyAction = "close"
	proxyReset     proxyAction = "reset"
	proxyStall     proxyAction = "stall"
	proxyDrip      proxyAction = "drip"
	proxyDelay     proxyAction = "delay"
	proxyDuplicate proxyAction = "duplicate"
	proxyCorrupt   proxyAction = "corrupt"
)

// Fired returns how often the fault really happened, on all connections together: at most once on each,
// but for Drip once for each byte. A test whose faults did not fire has tested nothing.
func (f *ProxyFault) Fired() int { return int(f.fired.Load()) }

// Release ends a Stall, on all connections and for good: one that is reached later still counts, and stops
// nothing. To other faults it does nothing.
func (f *ProxyFault) Release() { f.release.Do(func() { close(f.released) }) }

// String names the fault, such as "reset at byte 3 of request 0".
func (f *ProxyFault) String() string { return fmt.Sprintf("%s at %v", f.act, f.place) }
