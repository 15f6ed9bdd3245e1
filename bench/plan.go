package main

import (
	"slices"
	"strings"
	"time"
)

// plan is how much is measured.
type plan struct {
	Peers       []string      `json:"peers"`
	Measures    []string      `json:"measures"`
	Rounds      int           `json:"rounds"`
	Sizes       []int         `json:"sizes"`        // of payloads, in bytes
	Latency     time.Duration `json:"latency"`      // how long one measurement of a round trip takes
	Conns       []int         `json:"conns"`        // of the closed loops
	Throughput  time.Duration `json:"throughput"`   // how long one closed loop runs
	Windows     []int         `json:"windows"`      // of the pipelines
	Pipelined   time.Duration `json:"pipelined"`    // how long one pipeline runs
	StreamBytes int64         `json:"stream_bytes"` // a multiple of 512 KiB
	Idle        int           `json:"idle"`         // idle connections
	IdleRounds  int           `json:"idle_rounds"`  // each has new processes
	Settle      time.Duration `json:"settle"`       // how long they are left alone before
	IdleWindow  time.Duration `json:"idle_window"`  // how long their CPU time is measured
	Limit       time.Duration `json:"limit"`        // what has not begun by then is left out
}

// settleTime is how long idle connections are left alone before they are measured: long enough for
// what is given back after a second.
const settleTime = 1500 * time.Millisecond

// fullPlan is `make bench`.
func fullPlan() plan {
	return plan{
		Peers: available(), Measures: []string{"a", "b", "c", "d", "e"}, Rounds: 5, Sizes: []int{64, 4096},
		Latency: 400 * time.Millisecond,
		Conns:   []int{64, 1000, 5000}, Throughput: 300 * time.Millisecond,
		Windows: []int{16, 64, 256, 1024}, Pipelined: 150 * time.Millisecond,
		StreamBytes: 1 << 30,
		Idle:        9000, IdleRounds: 5, Settle: settleTime, IdleWindow: time.Second,
		Limit: 20 * time.Minute,
	}
}

// quickPlan is `make bench-quick`: the same kinds of figures, fewer and less certain.
func quickPlan() plan {
	p := fullPlan()
	p.Latency = 100 * time.Millisecond
	p.Conns, p.Throughput = []int{64, 1000}, 80*time.Millisecond
	p.Windows, p.Pipelined = []int{16, 256}, 50*time.Millisecond
	p.StreamBytes = 64 << 20
	p.Idle, p.IdleRounds, p.IdleWindow = 1000, 1, 250*time.Millisecond
	p.Limit = 4 * time.Minute
	return p
}

// available returns the names of the peers that are on this machine.
func available() []string {
	var names []string
	for _, l := range peers {
		if l.name != redisName || redisPath() != "" {
			names = append(names, l.name)
		}
	}
	return names
}

// group is what is measured one after the other within a slot.
type group []string

// groups returns the slots of a round: bare TCP and Serialkit beside each other peer. Each round
// begins with another slot, and every second one is in reverse order, so that a drift of the
// machine favours nobody.
func groups(names []string, round int) []group {
	var gs []group
	for _, name := range names {
		if name != bareName && name != serialkitName {
			gs = append(gs, group{bareName, serialkitName, name})
		}
	}
	if len(gs) == 0 {
		gs = []group{{bareName, serialkitName}}
	}
	first := round % len(gs)
	gs = slices.Concat(gs[first:], gs[:first])
	if round%2 == 1 {
		for _, g := range gs {
			slices.Reverse(g)
		}
	}
	return gs
}

// choose returns those of all that the list names, separated by semicolons, in the order of all.
func choose(all []string, list string) []string {
	wanted := strings.Split(list, ";")
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool {
		return !slices.Contains(wanted, name)
	})
}
