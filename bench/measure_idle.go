package main

import "time"

// idle measures what connections cost that do nothing: once after each has run a small task, and
// once after each has run one that went deep down the stack.
func (b *bench) idle() error {
	conns, err := b.affordable(b.plan.Idle)
	if err != nil {
		return err
	}
	for round := range b.plan.IdleRounds {
		for _, name := range b.plan.Peers {
			if name == "gRPC-Go, stream" || name == bytesName {
				continue // the same servers
			}
			what := scene{Measure: measureIdle, Conns: conns}.String()
			if b.late(what) {
				return nil
			}
			b.progress("%s, round %d of %d: %s", what, round+1, b.plan.IdleRounds, name)
			if err := b.idleOf(name, conns, round); err != nil {
				b.note("%s: %s failed: %v", what, name, err)
			}
		}
	}
	return nil
}

// idleOf measures one peer with new processes.
func (b *bench) idleOf(name string, conns, round int) error {
	p, err := startPair(name, -1)
	if err != nil {
		return err
	}
	defer p.end()
	empty, err := p.residents()
	if err != nil {
		return err
	}
	if _, err := p.client.do(order{Do: "open", Conns: conns}); err != nil {
		return err
	}
	for _, after := range []struct{ do, name string }{{"touch", "a small task"}, {"touch deep", "a deep stack"}} {
		if after.do == "touch deep" && name == redisName {
			return nil // its tasks are its own
		}
		if _, err := p.client.do(order{Do: after.do, Size: 64}); err != nil {
			return err
		}
		v, err := p.idleCosts(empty, conns, b.plan.Settle, b.plan.IdleWindow)
		if err != nil {
			return err
		}
		s := scene{Measure: measureIdle, Conns: conns, After: after.name}
		b.record(record{scene: s, Peer: name, Round: round, Values: v})
	}
	return nil
}

// sides is a figure of both processes.
type sides struct{ server, client float64 }

// residents returns the resident memory of both, after a garbage collection.
func (p *pair) residents() (s sides, err error) {
	for side, c := range map[*float64]*child{&s.server: p.server, &s.client: p.client} {
		if _, err := c.do(order{Do: "settle"}); err != nil {
			return s, err
		}
		bytes, err := resident(c.cmd.Process.Pid)
		if err != nil {
			return s, err
		}
		*side = float64(bytes)
	}
	return s, nil
}

// cpuTimes returns the CPU time of both so far, in ns.
func (p *pair) cpuTimes() (s sides, err error) {
	for side, c := range map[*float64]*child{&s.server: p.server, &s.client: p.client} {
		t, err := cpuTime(c.cmd.Process.Pid)
		if err != nil {
			return s, err
		}
		*side = float64(t)
	}
	return s, nil
}

// idleCosts returns the memory per connection beyond what the empty processes had, and the CPU time
// per connection and second.
func (p *pair) idleCosts(empty sides, conns int, settle, window time.Duration) (values, error) {
	time.Sleep(settle)
	now, err := p.residents()
	if err != nil {
		return nil, err
	}
	before, err := p.cpuTimes()
	if err != nil {
		return nil, err
	}
	time.Sleep(window)
	after, err := p.cpuTimes()
	if err != nil {
		return nil, err
	}
	n, seconds := float64(conns), window.Seconds()
	return values{
		"server resident": (now.server - empty.server) / n,
		"client resident": (now.client - empty.client) / n,
		"server idle cpu": (after.server - before.server) / n / seconds,
		"client idle cpu": (after.client - before.client) / n / seconds,
	}, nil
}
