package main

import "time"

// values are figures by name: "p50" (ns), "rate" (tasks/s, or bytes/s of a stream), "server cpu" (ns
// per task), "server mallocs" and "server bytes" (per task), "resident" (bytes per connection), ...
type values map[string]float64

// scene is what is measured, and how.
type scene struct {
	Measure string `json:"measure"`          // one of the measure constants
	Size    int    `json:"size,omitempty"`   // of a payload, in bytes
	Conns   int    `json:"conns,omitempty"`  // connections
	Window  int    `json:"window,omitempty"` // tasks under way on one connection
	After   string `json:"after,omitempty"`  // what idle connections did before
}

// The measures.
const (
	measureRoundTrip  = "round trip"
	measureThroughput = "throughput"
	measurePipelined  = "pipelined"
	measureUp         = "stream up"
	measureDown       = "stream down"
	measureIdle       = "idle"
)

// record is one measurement of one peer.
type record struct {
	scene
	Peer   string `json:"peer"`
	Round  int    `json:"round"`
	Slot   int    `json:"slot"` // in the round; one of bare TCP has the same
	Values values `json:"values"`
}

// run is everything that was measured, and on what. It is the JSON document.
type run struct {
	Machine  machine       `json:"machine"`
	Command  string        `json:"command"`
	Started  time.Time     `json:"started"`
	Took     time.Duration `json:"took"`
	Plan     plan          `json:"plan"`
	Notes    []string      `json:"notes"` // what was left out, or lowered, and why
	Records  []record      `json:"records"`
	LoadThen string        `json:"load_before"` // /proc/loadavg
	LoadNow  string        `json:"load_after"`
}
