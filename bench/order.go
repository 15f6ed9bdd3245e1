package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// order is a line of JSON that the run writes to a child's standard input.
type order struct {
	Do       string        `json:"do"`
	Conns    int           `json:"conns,omitempty"`
	Size     int           `json:"size,omitempty"` // of a payload, in bytes
	Window   int           `json:"window,omitempty"`
	Bytes    int64         `json:"bytes,omitempty"` // of a stream
	Duration time.Duration `json:"duration,omitempty"`
	Path     string        `json:"path,omitempty"` // of a file to write
}

// result is what a child answers, a line of JSON.
type result struct {
	Err        string        `json:"err,omitempty"`
	NotOffered bool          `json:"not_offered,omitempty"`
	Addr       string        `json:"addr,omitempty"` // where a server listens
	Tasks      int64         `json:"tasks,omitempty"`
	Elapsed    time.Duration `json:"elapsed,omitempty"`
	P50        time.Duration `json:"p50,omitempty"`
	P99        time.Duration `json:"p99,omitempty"`
	P999       time.Duration `json:"p999,omitempty"`
	Memory     memory        `json:"memory,omitzero"`
}

// memory is the Go heap of a child. The first two only grow.
type memory struct {
	Mallocs uint64 `json:"mallocs"`
	Bytes   uint64 `json:"bytes"`
	Heap    uint64 `json:"heap"`  // bytes in use
	Stack   uint64 `json:"stack"` // bytes in use
}

// handler carries out an order.
type handler func(order) (result, error)

// obey carries out the orders of in until it ends, and answers each on out.
func obey(in io.Reader, out io.Writer, handlers map[string]handler) error {
	orders, results := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var o order
		if err := orders.Decode(&o); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := results.Encode(carryOut(handlers, o)); err != nil {
			return err
		}
	}
}

func carryOut(handlers map[string]handler, o order) result {
	h := handlers[o.Do]
	if h == nil {
		return result{Err: fmt.Sprintf("unknown order %q", o.Do)}
	}
	r, err := h(o)
	if err != nil {
		r.Err, r.NotOffered = err.Error(), err == errNotOffered
	}
	return r
}
