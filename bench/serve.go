package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
)

// serveCommand serves a peer on a port of loopback, until its standard input ends.
func serveCommand(args []string) error {
	fs := flag.NewFlagSet("serve", flag.ExitOnError)
	fs.Usage = func() { fmt.Fprintln(os.Stderr, "usage: bench serve PEER < orders") }
	fs.Parse(args)
	l, ok := find(fs.Arg(0))
	if !ok {
		return fmt.Errorf("no peer %q", fs.Arg(0))
	}
	if _, err := raiseFileLimit(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(result{Addr: listener.Addr().String()}); err != nil {
		return err
	}
	go func() {
		err := l.new().serve(listener)
		fmt.Fprintf(os.Stderr, "%s: %v\n", l.name, err)
		os.Exit(1) // the listener is never closed: this process ends first
	}()
	return obey(os.Stdin, os.Stdout, about())
}
