package main

import (
	"fmt"
	"time"
)

// troubleEvery is how often it is told that a file is still not taken.
const troubleEvery = time.Minute

// troubles says when a collector does not take a file, and when it does again, without a line for each attempt. It belongs to the goroutine
// that ships the file.
type troubles struct {
	say   func(text string)
	since time.Time // zero: the collector takes it
	told  time.Time
}

func newTroubles(say func(text string)) *troubles { return &troubles{say: say} }

// tell is a ship.Options.Trouble.
func (t *troubles) tell(reason error) {
	now := time.Now()
	switch {
	case reason == nil:
		t.say(fmt.Sprintf("taken again after %v", now.Sub(t.since).Round(time.Millisecond)))
		*t = troubles{say: t.say}
	case t.since.IsZero():
		t.since, t.told = now, now
		t.say(fmt.Sprintf("not taken, it is tried again: %v", reason))
	case now.Sub(t.told) >= troubleEvery:
		t.told = now
		t.say(fmt.Sprintf("not taken for %v: %v", now.Sub(t.since).Round(time.Second), reason))
	}
}
