package main

// throughput measures closed loops on many connections.
func (b *bench) throughput() error {
	for _, conns := range b.plan.Conns {
		if b.late(scene{Measure: measureThroughput, Conns: conns}.String()) {
			continue
		}
		if err := b.throughputOf(conns); err != nil {
			return err
		}
	}
	return nil
}

// throughputOf measures with one number of connections, which stay open for all its rounds.
func (b *bench) throughputOf(wanted int) error {
	conns, err := b.affordable(wanted)
	if err != nil {
		return err
	}
	c := b.assemble(-1, "gRPC-Go, stream")
	defer c.end()
	what := scene{Measure: measureThroughput, Conns: conns}.String()
	b.each(c, what, order{Do: "open", Conns: conns})
	b.each(c, what, order{Do: "touch", Size: 64})
	for _, size := range b.plan.Sizes {
		s := scene{Measure: measureThroughput, Size: size, Conns: conns}
		b.each(c, s.String(), order{Do: "throughput", Size: size, Duration: warmUp})
		b.rounds(c, s, func(p *pair) (values, error) {
			return p.rate(order{Do: "throughput", Size: size, Duration: b.plan.Throughput}, 1)
		})
	}
	return nil
}

// affordable lowers a number of connections to what the limit of open files allows, and says so.
func (b *bench) affordable(conns int) (int, error) {
	most, err := raiseFileLimit()
	if err != nil || conns <= most {
		return conns, err
	}
	b.note("%d connections lowered to %d by the limit of open files", conns, most)
	return most, nil
}

// rate carries out an order and returns how many units, of which each task has some, there were per
// second, and what they cost.
func (p *pair) rate(o order, units float64) (values, error) {
	r, v, err := p.measured(o)
	if err != nil {
		return nil, err
	}
	v["rate"] = float64(r.Tasks) * units / r.Elapsed.Seconds()
	return v, nil
}
