package main

// streams measures one large message in each direction.
func (b *bench) streams() error {
	c := b.assemble(-1, "gRPC-Go, stream", redisName)
	defer c.end()
	b.each(c, "streams", order{Do: "open", Conns: 1})
	for _, s := range []struct{ do, measure string }{{"up", measureUp}, {"down", measureDown}} {
		if b.late(s.measure) {
			continue
		}
		b.each(c, s.measure, order{Do: s.do, Bytes: 1 << 20})
		b.rounds(c, scene{Measure: s.measure}, func(p *pair) (values, error) {
			return p.rate(order{Do: s.do, Bytes: b.plan.StreamBytes}, float64(b.plan.StreamBytes))
		})
	}
	return nil
}
