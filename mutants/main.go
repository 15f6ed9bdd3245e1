// Command mutants proves that the suite notices when a guard is missing. Each entry of catalogue/ is a
// seeded bug: it removes one guard of the project, and names the test that must fail then. The command
// applies them one by one to a copy of the tree, and fails if one survives.
//
//	cd mutants && go run .                      all of them
//	cd mutants && go run . linger-none wait-    those whose names begin so
//	cd mutants && go run . -suite linger-none   which tests of its package fail, to choose one from
//
// The tree itself is only read. The command ends what hangs by process groups, so it is for Unix.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// errUncaught is returned when a mutant is not caught; what is wrong was printed with its line.
var errUncaught = errors.New("mutants: not all are caught")

// settings are what the flags say.
type settings struct {
	root      string        // the tree
	catalogue string        // the directory of the entries
	names     []string      // prefixes of the entries to run; none: all
	parallel  int           // how many mutants are built and run at a time
	limit     time.Duration // for the tests of one mutant
	suite     bool          // run the whole package, and tell which tests fail
}

func main() {
	s := settings{}
	flag.StringVar(&s.root, "root", "..", "the tree whose guards are removed")
	flag.StringVar(&s.catalogue, "catalogue", "catalogue", "the directory of the entries")
	flag.IntVar(&s.parallel, "parallel", 2, "how many mutants are built and run at a time")
	flag.DurationVar(&s.limit, "limit", time.Minute, "how long the test of a mutant may take")
	flag.BoolVar(&s.suite, "suite", false, "run all tests of the package instead, and print which fail")
	flag.Parse()
	s.names = flag.Args()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run runs the mutants and prints a line for each, and a total. The error is errUncaught, or says what kept
// it from running them.
func run(ctx context.Context, s settings, out io.Writer) error {
	begin := time.Now()
	all, err := loadCatalogue(s.catalogue)
	if err != nil {
		return err
	}
	entries, err := choose(all, s.names)
	if err != nil {
		return err
	}
	w, err := newWorkshop(ctx, s)
	if err != nil {
		return err
	}
	defer w.close()
	if !s.suite {
		if err := w.checkUnmutated(ctx, entries, out); err != nil {
			return err
		}
	}
	caught := 0
	for r := range w.try(ctx, entries) {
		fmt.Fprintln(out, r)
		if r.verdict == caughtIt {
			caught++
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("mutants: interrupted: %w", err)
	}
	fmt.Fprintf(out, "mutants: %d of %d caught in %v\n", caught, len(entries), time.Since(begin).Round(time.Second))
	if caught < len(entries) {
		return errUncaught
	}
	return nil
}
