package main

// pipelined measures one connection with many tasks under way.
func (b *bench) pipelined() error {
	if b.late("pipelined") {
		return nil
	}
	c := b.assemble(-1)
	defer c.end()
	b.each(c, "pipelined", order{Do: "open", Conns: 1})
	for _, size := range b.plan.Sizes {
		for _, window := range b.plan.Windows {
			s := scene{Measure: measurePipelined, Size: size, Window: window}
			if b.late(s.String()) {
				continue
			}
			b.each(c, s.String(), order{Do: "pipeline", Size: size, Window: window, Duration: warmUp})
			b.rounds(c, s, func(p *pair) (values, error) {
				return p.rate(order{Do: "pipeline", Size: size, Window: window, Duration: b.plan.Pipelined}, 1)
			})
		}
	}
	return nil
}
