package logclient

import (
	"fmt"
	"sync"
	"time"
)

// Kind is a kind of trouble.
type Kind uint8

const (
	// Unreachable: the collector could not be reached, or the connection has failed. The records wait.
	Unreachable Kind = iota
	// Refused: the collector takes no records now, being read-only, busy or of another kind. They wait.
	Refused
	// Rejected: the collector has refused a record or a batch for ever, and it was dropped.
	Rejected
	// Renumbered: batches were lost, or the collector knows less of this producer than it should, or
	// another process has the same producer id. What waits was numbered anew.
	Renumbered
	// SpoolFailed: the spool's directory cannot be read or written.
	SpoolFailed
	// SpoolDamaged: records in the spool were damaged, and are lost.
	SpoolDamaged
	// Dropped: there is no room.
	Dropped
	kinds
)

var kindNames = [kinds]string{"unreachable", "refused", "rejected", "renumbered", "spool failed", "spool damaged", "dropped"}

// String returns the kind's name, such as "unreachable".
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Trouble is what Options.OnError is told.
type Trouble struct {
	// Kind says what kind of trouble it is.
	Kind Kind
	// Err says what happened.
	Err error
	// Suppressed is how many of this kind there were since the last that was told.
	Suppressed int
}

// String says all of it.
func (t Trouble) String() string {
	if t.Suppressed > 0 {
		return fmt.Sprintf("logclient: %v: %v (and %d more)", t.Kind, t.Err, t.Suppressed)
	}
	return fmt.Sprintf("logclient: %v: %v", t.Kind, t.Err)
}

// reporter tells OnError. Its methods do nothing without one.
type reporter struct {
	every time.Duration
	queue chan Trouble  // of those that OnError was not told yet; nil without an OnError
	ended chan struct{} // closed when run has returned

	mu         sync.Mutex
	closed     bool
	last       [kinds]time.Time
	suppressed [kinds]int
}

func newReporter(o *Options) *reporter {
	r := &reporter{every: o.ReportEvery, ended: make(chan struct{})}
	if o.OnError == nil {
		close(r.ended)
		return r
	}
	r.queue = make(chan Trouble, kinds)
	go r.run(o.OnError)
	return r
}

func (r *reporter) run(tell func(Trouble)) {
	defer close(r.ended)
	for t := range r.queue {
		tell(t)
	}
}

// report never blocks.
func (r *reporter) report(k Kind, err error) {
	if r.queue == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	now := time.Now()
	if !r.last[k].IsZero() && now.Sub(r.last[k]) < r.every {
		r.suppressed[k]++
		return
	}
	select {
	case r.queue <- Trouble{k, err, r.suppressed[k]}:
		r.last[k], r.suppressed[k] = now, 0
	default: // OnError takes its time.
		r.suppressed[k]++
	}
}

// close lets run end once it has told what waits.
func (r *reporter) close() {
	if r.queue == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		close(r.queue)
	}
}
