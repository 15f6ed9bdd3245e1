package main

import (
	"fmt"
	"io"
	"time"
)

// bench is a run that is under way.
type bench struct {
	run   *run
	plan  plan
	core  int // for what is measured on one core
	start time.Time
	log   io.Writer // progress
}

// measures are the parts of a run, by the letters of the flag.
var measures = []struct {
	letter string
	name   string
	f      func(*bench) error
}{
	{"a", "round trips", (*bench).roundTrips},
	{"b", "throughput", (*bench).throughput},
	{"c", "pipelined", (*bench).pipelined},
	{"d", "streams", (*bench).streams},
	{"e", "idle connections", (*bench).idle},
}

// all measures everything in the plan.
func (b *bench) all() error {
	for _, m := range measures {
		if !contains(b.plan.Measures, m.letter) {
			continue
		}
		if err := m.f(b); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

// late reports whether the time is up, and notes what is left out.
func (b *bench) late(what string) bool {
	if time.Since(b.start) < b.plan.Limit {
		return false
	}
	b.note("%s: left out, the run had taken %v", what, b.plan.Limit)
	return true
}

// note keeps a line for the report, once.
func (b *bench) note(form string, args ...any) {
	line := fmt.Sprintf(form, args...)
	if !contains(b.run.Notes, line) {
		b.run.Notes = append(b.run.Notes, line)
		b.progress("note: %s", line)
	}
}

// progress writes a line with the time since the beginning.
func (b *bench) progress(form string, args ...any) {
	t := time.Since(b.start).Round(time.Second)
	fmt.Fprintf(b.log, "[%2d:%02d] %s\n", int(t.Minutes()), int(t.Seconds())%60, fmt.Sprintf(form, args...))
}

// cast is the pairs that take part in a measure, by name.
type cast map[string]*pair

// assemble starts the pairs of all peers but those that are left out.
func (b *bench) assemble(core int, except ...string) cast {
	c := make(cast)
	for _, name := range b.plan.Peers {
		if contains(except, name) {
			continue
		}
		p, err := startPair(name, core)
		if err != nil {
			b.note("%v", err)
			continue
		}
		c[name] = p
	}
	return c
}

func (c cast) end() {
	for _, p := range c {
		p.end()
	}
}

// names returns who is left of the cast, in the order of the tables.
func (c cast) names() []string {
	var names []string
	for _, l := range peers {
		if c[l.name] != nil {
			names = append(names, l.name)
		}
	}
	return names
}

// dismiss ends a pair that failed, and notes why.
func (b *bench) dismiss(c cast, p *pair, what string, err error) {
	if err == errNotOffered {
		b.note("%s: %s has no means for it", what, p.name)
	} else {
		b.note("%s: %s failed: %v", what, p.name, err)
	}
	p.end()
	delete(c, p.name)
}

// each gives every pair an order and dismisses those that fail.
func (b *bench) each(c cast, what string, o order) {
	for _, name := range c.names() {
		if _, err := c[name].client.do(o); err != nil {
			b.dismiss(c, c[name], what, err)
		}
	}
}

// rounds measures a scene in all its rounds.
func (b *bench) rounds(c cast, s scene, take func(*pair) (values, error)) {
	b.progress("%s", s)
	for round := range b.plan.Rounds {
		for slot, g := range groups(c.names(), round) {
			for _, name := range g {
				p := c[name]
				if p == nil {
					continue
				}
				v, err := take(p)
				if err != nil {
					b.dismiss(c, p, s.String(), err)
					continue
				}
				b.record(record{scene: s, Peer: name, Round: round, Slot: slot, Values: v})
			}
		}
	}
}

func (b *bench) record(r record) { b.run.Records = append(b.run.Records, r) }
