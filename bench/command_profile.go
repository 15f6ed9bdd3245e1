package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// profileCases are what can be profiled, by name.
var profileCases = map[string]struct {
	pinned bool
	conns  int
	order  order
}{
	"roundtrip":  {true, 1, order{Do: "latency"}},
	"throughput": {false, 64, order{Do: "throughput"}},
	"pipelined":  {false, 1, order{Do: "pipeline", Window: 256}},
}

// profileCommand profiles a peer's server and client in one case and prints where their time goes.
func profileCommand(args []string) error {
	fs := flag.NewFlagSet("profile", flag.ExitOnError)
	name := fs.String("peer", serialkitName, "the peer")
	which := fs.String("case", "roundtrip", "roundtrip, throughput or pipelined")
	size := fs.Int("size", 64, "of a payload, in bytes")
	lasts := fs.Duration("for", 3*time.Second, "how long")
	folder := fs.String("out", os.TempDir(), "the folder for server.pprof and client.pprof")
	fs.Parse(args)
	c, ok := profileCases[*which]
	if !ok {
		return fmt.Errorf("no case %q", *which)
	}
	core := -1
	if c.pinned {
		var err error
		if core, err = lastCore(); err != nil {
			return err
		}
	}
	p, err := startPair(*name, core)
	if err != nil {
		return err
	}
	defer p.end()
	c.order.Size, c.order.Duration = *size, *lasts
	files := [2]string{filepath.Join(*folder, "server.pprof"), filepath.Join(*folder, "client.pprof")}
	if err := p.profile(c.conns, c.order, files); err != nil {
		return err
	}
	for _, f := range files {
		fmt.Printf("\n%s\n", f)
		if err := top(f); err != nil {
			return err
		}
	}
	return nil
}

// profile runs an order with both sides profiled into files: the server's and the client's.
func (p *pair) profile(conns int, o order, files [2]string) error {
	if _, err := p.client.do(order{Do: "open", Conns: conns}); err != nil {
		return err
	}
	for i, c := range []*child{p.server, p.client} {
		if _, err := c.do(order{Do: "profile", Path: files[i]}); err != nil {
			return err
		}
	}
	r, err := p.client.do(o)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d tasks in %v, %.0f per second\n", p.name, r.Tasks, r.Elapsed, float64(r.Tasks)/r.Elapsed.Seconds())
	for _, c := range []*child{p.server, p.client} {
		if _, err := c.do(order{Do: "profiled"}); err != nil {
			return err
		}
	}
	return nil
}

// top prints the functions that took the most time.
func top(file string) error {
	cmd := exec.Command("go", "tool", "pprof", "-top", "-nodecount=15", file)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}
