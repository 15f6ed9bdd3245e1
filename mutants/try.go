package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// verdict is what became of a mutant.
type verdict string

// The verdicts. All but the first are failures.
const (
	caughtIt   verdict = "caught"         // the named test failed
	survived   verdict = "SURVIVED"       // it passed
	misnamed   verdict = "OTHER TEST"     // something failed, but not the named test
	hung       verdict = "HUNG"           // it did not end, and its entry does not say so
	noHang     verdict = "DID NOT HANG"   // its entry says that it hangs
	misapplied verdict = "DOES NOT APPLY" // its old text is not there exactly once
	unbuilt    verdict = "DOES NOT BUILD" // so that it shows nothing
	untried    verdict = "NOT TRIED"      // the machine's fault
)

// result is one mutant's.
type result struct {
	entry
	verdict
	took   time.Duration
	detail string // what a verdict needs beside the name; may have several lines
}

// String returns the mutant's line, and below it what somebody who has to see to it needs.
func (r result) String() string {
	race := ""
	if r.race {
		race = " -race"
	}
	s := fmt.Sprintf("%-8s %-28s %s %s%s, %v", r.verdict, r.name, r.pkg, r.test, race, r.took.Round(100*time.Millisecond))
	if r.verdict != caughtIt {
		s += "\n    " + r.about
	}
	if r.detail != "" {
		s += "\n    " + strings.ReplaceAll(r.detail, "\n", "\n    ")
	}
	return s
}

// try tries the entries, some at a time, and yields the results in their order. Nothing is left
// running when it has ended.
func (w *workshop) try(ctx context.Context, entries []entry) func(yield func(result) bool) {
	return func(yield func(result) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var workers sync.WaitGroup
		defer workers.Wait()
		defer cancel()
		results := make([]chan result, len(entries))
		for i := range results {
			results[i] = make(chan result, 1)
		}
		next := make(chan int, len(entries))
		for _, i := range byPackage(entries) {
			next <- i
		}
		close(next)
		for range max(w.parallel, 1) {
			workers.Go(func() {
				for i := range next {
					results[i] <- w.tryOne(ctx, entries[i])
				}
			})
		}
		for _, i := range byPackage(entries) {
			if !yield(<-results[i]) {
				return
			}
		}
	}
}

// byPackage returns the entries' indices so that those of one package follow each other: what they share
// has just been built.
func byPackage(entries []entry) []int {
	order := make([]int, len(entries))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return strings.Compare(fmt.Sprint(entries[i].pkg, entries[i].race), fmt.Sprint(entries[j].pkg, entries[j].race))
	})
	return order
}

// tryOne builds a mutant and runs the test that is to catch it.
func (w *workshop) tryOne(ctx context.Context, e entry) result {
	begin := time.Now()
	v, detail := w.judge(ctx, e)
	return result{entry: e, verdict: v, detail: detail, took: time.Since(begin)}
}

func (w *workshop) judge(ctx context.Context, e entry) (verdict, string) {
	texts, err := e.mutated(w.tree())
	if err != nil {
		return misapplied, err.Error()
	}
	bench, err := w.bench(e.name)
	if err != nil {
		return untried, err.Error()
	}
	defer os.RemoveAll(bench)
	binary, complaint, err := w.build(ctx, bench, e.pkg, e.race, texts)
	if err != nil {
		return untried, err.Error()
	}
	if complaint != "" {
		return unbuilt, complaint
	}
	pattern, limit := e.test, cmp.Or(e.hang, w.limit)
	if w.suite {
		pattern, limit = "", w.limit
	}
	c, err := w.test(ctx, limit, binary, e.pkg, pattern)
	if err != nil {
		return untried, err.Error()
	}
	return w.verdictOf(e, c)
}

// verdictOf judges a mutant by how its test ended.
func (w *workshop) verdictOf(e entry, c child) (verdict, string) {
	o := parseOutcomes(c.output)
	detail := ""
	if w.suite {
		detail = "fail: " + strings.Join(o.failures(), " ")
	}
	switch {
	case c.hung && e.hang == 0:
		return hung, detail
	case !c.failed:
		return survived, detail
	case !c.hung && e.hang > 0:
		return noHang, detail
	case !o.failed[e.test]:
		return misnamed, "fail: " + strings.Join(o.failures(), " ")
	}
	return caughtIt, detail
}
