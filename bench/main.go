package main

import (
	"fmt"
	"os"
)

// commands are the subcommands. Each gets the arguments after its name.
var commands = map[string]func(args []string) error{
	"run":     runCommand,
	"report":  reportCommand,
	"profile": profileCommand,
	"serve":   serveCommand,
	"load":    loadCommand,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: bench run|report|profile|serve|load; -h after each for its flags")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "bench %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}
