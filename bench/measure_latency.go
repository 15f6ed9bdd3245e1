package main

import "time"

// warmUp is how long each peer runs before a scene is measured.
const warmUp = 50 * time.Millisecond

// roundTrips measures one task at a time on one connection, both sides on one core. A wake-up
// across the cores of a virtual machine costs more than the work, and would make every ratio 1.
func (b *bench) roundTrips() error {
	if b.late("round trips") {
		return nil
	}
	c := b.assemble(b.core, "gRPC-Go, stream")
	defer c.end()
	b.each(c, "round trip", order{Do: "open", Conns: 1})
	for _, size := range b.plan.Sizes {
		s := scene{Measure: measureRoundTrip, Size: size}
		b.each(c, s.String(), order{Do: "latency", Size: size, Duration: warmUp})
		b.rounds(c, s, func(p *pair) (values, error) {
			r, v, err := p.measured(order{Do: "latency", Size: size, Duration: b.plan.Latency})
			if err != nil {
				return nil, err
			}
			v["p50"], v["p99"], v["p99.9"] = float64(r.P50), float64(r.P99), float64(r.P999)
			return v, nil
		})
	}
	return nil
}
