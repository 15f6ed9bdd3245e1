package main

import (
	"fmt"
	"time"
)

// pair is a peer's server and client.
type pair struct {
	name           string
	server, client *child
}

// startPair starts both, on one core unless core is negative.
func startPair(name string, core int) (*pair, error) {
	l, ok := find(name)
	if !ok {
		return nil, fmt.Errorf("no peer %q", name)
	}
	server, addr, err := startServer(l, core)
	if err != nil {
		return nil, fmt.Errorf("%s: server: %w", name, err)
	}
	client, err := startChild(core, "load", name, addr)
	if err != nil {
		server.end()
		return nil, fmt.Errorf("%s: client: %w", name, err)
	}
	return &pair{name: name, server: server, client: client}, nil
}

// end ends both, the client first.
func (p *pair) end() {
	p.client.end()
	p.server.end()
}

// costs is what a process has used so far.
type costs struct {
	cpu     time.Duration
	mallocs uint64
	bytes   uint64
}

// costs asks for both sides' costs.
func (p *pair) costs() (server, client costs, err error) {
	if server, err = p.server.costs(); err != nil {
		return
	}
	client, err = p.client.costs()
	return
}

func (c *child) costs() (costs, error) {
	r, err := c.do(order{Do: "memory"})
	if err != nil {
		return costs{}, err
	}
	cpu, err := cpuTime(c.cmd.Process.Pid)
	return costs{cpu: cpu, mallocs: r.Memory.Mallocs, bytes: r.Memory.Bytes}, err
}

// measured gives the client an order, and returns its result and what it cost per task.
func (p *pair) measured(o order) (result, values, error) {
	server, client, err := p.costs()
	if err != nil {
		return result{}, nil, err
	}
	r, err := p.client.do(o)
	if err != nil {
		return r, nil, err
	}
	serverAfter, clientAfter, err := p.costs()
	if err != nil {
		return r, nil, err
	}
	v := values{}
	v.addCosts("server", server, serverAfter, r.Tasks, p.server.results != nil)
	v.addCosts("client", client, clientAfter, r.Tasks, true)
	return r, v, nil
}

// addCosts adds what a side has used per task. Only Go processes know their allocations.
func (v values) addCosts(side string, before, after costs, tasks int64, isGo bool) {
	n := float64(tasks)
	v[side+" cpu"] = float64(after.cpu-before.cpu) / n
	if isGo {
		v[side+" mallocs"] = float64(after.mallocs-before.mallocs) / n
		v[side+" bytes"] = float64(after.bytes-before.bytes) / n
	}
}
