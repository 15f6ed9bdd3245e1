package serialserver

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/serialkit/serialkit/internal/transport"
)

// The histogram's inside, for tests.
const NumBuckets = numBuckets

var (
	Bucket = bucket
	Upper  = upper
)

// Histogram is a histogram.
type Histogram struct{ h histogram }

func (h *Histogram) Add(d time.Duration)              { h.h.add(d) }
func (h *Histogram) Quantile(q float64) time.Duration { return h.h.quantile(q) }

// SetLinger says whether connections that end from now on are closed lingering. It returns what
// sets it back.
func SetLinger(on bool) (restore func()) {
	old := lingers.Swap(on)
	return func() { lingers.Store(old) }
}

// CauseOfInput returns the cause of a task's context after its input has failed with err.
func CauseOfInput(err error) error {
	var t task
	t.ctx.parent = context.Background()
	t.inputFailed(err)
	return context.Cause(&t.ctx)
}

// ErrInterrupted is what reads and writes return that this side has interrupted.
var ErrInterrupted = transport.ErrInterrupted

// HasContext reports whether the context of a task has been made.
func HasContext(ctx any) bool {
	c := ctx.(*taskContext)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.real != nil
}

// Connections returns how many connections a Shutdown would wait for: clients, and those in their handshakes.
func Connections(s *Server) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.clients) + len(s.arrivals)
}

// MessageMemory returns how much memory the messages of a server have, and how many hosts it tells apart.
func MessageMemory(s *Server) (used int64, hosts int) {
	s.messages.mu.Lock()
	defer s.messages.mu.Unlock()
	return s.messages.used, len(s.messages.usedBy)
}

// Bounds are what a server admits.
type Bounds struct {
	Clients, ClientsPerAddress             int
	MessageMemory, MessageMemoryPerAddress int64
	Limits                                 Limits
	Handshake                              time.Duration
}

func BoundsOf(s *Server) Bounds {
	return Bounds{s.admission.max, s.admission.perHostLimit(), s.messages.max, s.messages.share(), s.limits, s.handshakeTimeout}
}

// Place is a task's place of a LimitConcurrency of one.
type Place struct{ p place }

func NewPlace() *Place {
	return &Place{place{places: semaphore.NewWeighted(1)}}
}

func (p *Place) Enter() error    { return p.p.enter(context.Background()) }
func (p *Place) Leave(done bool) { p.p.leave(done) }
func (p *Place) Free() bool      { return p.p.places.TryAcquire(1) }
