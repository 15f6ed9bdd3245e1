package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"
)

// loadCommand is the client of a peer. What it does it is told on its standard input.
func loadCommand(args []string) error {
	fs := flag.NewFlagSet("load", flag.ExitOnError)
	fs.Usage = func() { fmt.Fprintln(os.Stderr, "usage: bench load PEER ADDRESS < orders") }
	fs.Parse(args)
	l, ok := find(fs.Arg(0))
	if !ok {
		return fmt.Errorf("no peer %q", fs.Arg(0))
	}
	if _, err := raiseFileLimit(); err != nil {
		return err
	}
	ld := newLoad(l.new(), fs.Arg(1))
	defer ld.close()
	return obey(os.Stdin, os.Stdout, ld.handlers())
}

// load is a client's connections and what it does with them. Its methods are orders.
type load struct {
	peer     peer
	addr     string
	sessions []session
	payloads map[payloadKind][]byte
	times    []time.Duration // of latency
}

// payloadKind is an op and a size.
type payloadKind struct {
	op   byte
	size int
}

func newLoad(p peer, addr string) *load {
	return &load{peer: p, addr: addr, payloads: make(map[payloadKind][]byte)}
}

func (l *load) handlers() map[string]handler {
	h := about()
	h["open"] = l.open
	h["touch"] = func(o order) (result, error) { return l.touch(opEcho, o) }
	h["touch deep"] = func(o order) (result, error) { return l.touch(opDeep, o) }
	h["latency"] = l.latency
	h["throughput"] = l.throughput
	h["pipeline"] = l.pipeline
	h["up"] = func(o order) (result, error) { return l.stream(session.up, o) }
	h["down"] = func(o order) (result, error) { return l.stream(session.down, o) }
	return h
}

// payload returns the one payload of its kind.
func (l *load) payload(op byte, size int) []byte {
	k := payloadKind{op, size}
	if l.payloads[k] == nil {
		l.payloads[k] = newPayload(op, size)
	}
	return l.payloads[k]
}

// open opens connections until there are o.Conns.
func (l *load) open(o order) (result, error) {
	for len(l.sessions) < o.Conns {
		s, err := l.peer.dial(l.addr)
		if err != nil {
			return result{}, err
		}
		l.sessions = append(l.sessions, s)
	}
	return result{}, nil
}

func (l *load) close() {
	for _, s := range l.sessions {
		s.Close()
	}
}

// touch runs one task on each connection, a few at a time.
func (l *load) touch(op byte, o order) (result, error) {
	const atOnce = 16
	p := l.payload(op, o.Size)
	var next atomic.Int64
	var stop atomic.Bool
	_, err := concurrently(atOnce, &stop, func(int) error {
		i := int(next.Add(1)) - 1
		if i >= len(l.sessions) {
			stop.Store(true)
			return nil
		}
		return l.sessions[i].roundTrip(p)
	})
	return result{}, err
}

// latency measures round trips on one connection, one after the other.
func (l *load) latency(o order) (result, error) {
	s, p := l.sessions[0], l.payload(opEcho, o.Size)
	if l.times == nil {
		l.times = make([]time.Duration, 0, 1<<20)
	}
	times := l.times[:0]
	start := time.Now()
	last := start
	for last.Sub(start) < o.Duration && len(times) < cap(times) {
		if err := s.roundTrip(p); err != nil {
			return result{}, err
		}
		now := time.Now()
		times = append(times, now.Sub(last))
		last = now
	}
	slices.Sort(times)
	return result{
		Tasks: int64(len(times)), Elapsed: last.Sub(start),
		P50: quantile(times, 0.5), P99: quantile(times, 0.99), P999: quantile(times, 0.999),
	}, nil
}

// throughput measures a closed loop on every connection: each has one task under way.
func (l *load) throughput(o order) (result, error) {
	p := l.payload(opEcho, o.Size)
	return timed(o.Duration, func(stop *atomic.Bool) (int64, error) {
		return concurrently(len(l.sessions), stop, func(i int) error {
			return l.sessions[i].roundTrip(p)
		})
	})
}

// pipeline measures one connection with a window of tasks under way.
func (l *load) pipeline(o order) (result, error) {
	p := l.payload(opEcho, o.Size)
	return timed(o.Duration, func(stop *atomic.Bool) (int64, error) {
		return l.sessions[0].pipeline(p, o.Window, stop)
	})
}

// timed measures how long f takes, which is told to stop after d.
func timed(d time.Duration, f func(stop *atomic.Bool) (int64, error)) (result, error) {
	var stop atomic.Bool
	start := time.Now()
	timer := time.AfterFunc(d, func() { stop.Store(true) })
	defer timer.Stop()
	tasks, err := f(&stop)
	if err == nil && tasks == 0 {
		err = errors.New("no task in all that time")
	}
	return result{Tasks: tasks, Elapsed: time.Since(start)}, err
}

// stream measures a stream in one direction.
func (l *load) stream(direction func(session, int64) error, o order) (result, error) {
	start := time.Now()
	err := direction(l.sessions[0], o.Bytes)
	return result{Tasks: 1, Elapsed: time.Since(start)}, err
}
