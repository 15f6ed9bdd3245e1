package main

func (d *document) roundTrips() {
	if !d.section("Round trip", `One connection, one task at a time, both processes on one core: what a task costs from end to end. On
two cores the figure would be that of a wake-up across them, which is the same for everybody.`, measureRoundTrip) {
		return
	}
	for _, s := range scenes(d.run.Records, measureRoundTrip) {
		d.table(s, column{"p50", "p50", microseconds, true}, column{"p99", "p99", microseconds, true},
			column{"p99.9", "p99.9", microseconds, true})
	}
}

func (d *document) throughput() {
	if !d.section("Throughput", `A closed loop: each connection has one task under way. Both processes share all cores.`, measureThroughput) {
		return
	}
	for _, s := range scenes(d.run.Records, measureThroughput) {
		d.table(s, column{"Throughput", "rate", tasksPerSecond, true})
	}
}

func (d *document) pipelined() {
	if !d.section("Pipelined", `One connection with up to a window of tasks under way. Bare TCP has 4-byte lengths and 64 KiB buffers here,
and writes when it would have to wait. yamux has the same within its stream.`, measurePipelined) {
		return
	}
	for _, s := range scenes(d.run.Records, measurePipelined) {
		d.table(s, column{"Throughput", "rate", tasksPerSecond, true})
	}
}

func (d *document) streams() {
	text := "One message of " + thousands(count.show(float64(d.run.Plan.StreamBytes>>20))) + ` MiB, in pieces of 64 KiB where the application chooses.
Up is towards the server.`
	for _, m := range []string{measureUp, measureDown} {
		if !d.section(capital(m), text, m) {
			continue
		}
		for _, s := range scenes(d.run.Records, m) {
			d.table(s, column{"Rate", "rate", mibPerSecond, true})
		}
	}
}

func (d *document) idle() {
	if !d.section("Idle connections", `Resident memory per connection beyond what the processes had without, after 1.5 s of rest and two garbage
collections, and the CPU time that a connection costs while nothing happens. The kernel's socket buffers
are not included. Each round has new processes. The deep stack is 64 KiB.`, measureIdle) {
		return
	}
	for _, s := range scenes(d.run.Records, measureIdle) {
		d.table(s, column{"Server memory", "server resident", kibibytes, true},
			column{"Client memory", "client resident", kibibytes, false},
			column{"Server CPU", "server idle cpu", nsPerSecond, false},
			column{"Client CPU", "client idle cpu", nsPerSecond, false})
	}
}

// costScenes are the scenes in which the cost of a task is shown.
func (d *document) costScenes() []scene {
	found := scenes(d.run.Records, measureRoundTrip)
	loops := scenes(d.run.Records, measureThroughput)
	for _, s := range loops {
		if s.Conns == loops[0].Conns {
			found = append(found, s)
		}
	}
	for _, s := range scenes(d.run.Records, measurePipelined) {
		if s.Window == costWindow {
			found = append(found, s)
		}
	}
	return found
}

// costWindow is the window of the pipelines whose costs are shown.
const costWindow = 256

func (d *document) allocations() {
	if len(d.costScenes()) == 0 {
		return
	}
	d.printf("## Allocations per task\n\nOf the Go heap, as runtime.MemStats counts them.\n\n")
	for _, s := range d.costScenes() {
		d.table(s, column{"Server allocations", "server mallocs", count, false},
			column{"Server memory", "server bytes", bytesUnit, false},
			column{"Client allocations", "client mallocs", count, false},
			column{"Client memory", "client bytes", bytesUnit, false})
	}
}

func (d *document) cpu() {
	if len(d.costScenes()) == 0 {
		return
	}
	d.printf("## CPU time per task\n\nOf each process in all its threads, the kernel's work for it included.\n\n")
	for _, s := range d.costScenes() {
		d.table(s, column{"Server", "server cpu", microseconds, true},
			column{"Client", "client cpu", microseconds, true})
	}
}
