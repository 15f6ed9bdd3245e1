// Logd collects log records from many programs, keeps them, and finds them again. See README.md.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
)

// The exit codes of all commands. Those of serialdaemon, for serve, are among them: 3 is an address that cannot be
// bound, 4 and 5 are a stop that cut tasks off.
const (
	exitOK      = 0
	exitFailure = 1 // what the command was to do has failed; verify: something is damaged
	exitUsage   = 6 // a flag, the configuration or an argument is wrong
	exitStore   = 7 // serve: the store has failed, and is recovered by starting again
	exitOpen    = 8 // serve, verify: the store cannot be opened
)

// stdio is what a command reads and writes.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// command is one of logd's. Its run is called with the arguments behind its name, and returns the exit code. The
// context is never done by a signal: a command that minds signals asks for them.
type command struct {
	name, about string
	run         func(ctx context.Context, args []string, std stdio) (exit int)
}

var commands = []command{
	{"serve", "collect records, and answer queries", cmdServe},
	{"ship", "send the lines of files", cmdShip},
	{"query", "find records", cmdQuery},
	{"tail", "show records as they are stored", cmdTail},
	{"stats", "show how a collector is", cmdStats},
	{"verify", "read a stopped collector's store, and report what is damaged", cmdVerify},
}

func main() {
	os.Exit(run(context.Background(), os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr}))
}

// run runs the command that args begin with.
func run(ctx context.Context, args []string, std stdio) int {
	if len(args) > 0 {
		for _, c := range commands {
			if c.name == args[0] {
				return c.run(ctx, args[1:], std)
			}
		}
		switch args[0] {
		case "help", "-h", "-help", "--help":
			usage(std.out)
			return exitOK
		}
		fmt.Fprintf(std.err, "logd: no command %q\n\n", args[0])
	}
	usage(std.err)
	return exitUsage
}

func usage(w io.Writer) {
	fmt.Fprint(w, "usage: logd COMMAND [flags]; logd COMMAND -h explains the flags\n\n")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-8s %s\n", c.name, c.about)
	}
}
