package service

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/query"
	"github.com/serialkit/serialkit/serialserver"
)

// Store is what the tasks need of a *store.Store, see there.
type Store interface {
	Append(ctx context.Context, batch []byte) (logwire.AppendAnswer, error)
	Head() uint64
	Query(ctx context.Context, f *query.Filter, req logwire.QueryRequest, emit func(id uint64, record []byte) error) logwire.End
	Follow(ctx context.Context, f *query.Filter, from, to uint64, emit func(id uint64, record []byte) error,
		pass func(first, end uint64)) (next uint64, err error)
	Stats() logwire.Stats
}

// The default bounds. Each has a field in Options.
const (
	// DefaultQueries is how many queries run at a time.
	DefaultQueries = 8
	// DefaultQueryWait is for how long others wait for their turn, in the order of their coming.
	DefaultQueryWait = 5 * time.Second
	// DefaultTails is how many tails there are at a time.
	DefaultTails = 256
	// DefaultPosition is how often a tail is told its position at least: well within the 10 s of the protocol, and
	// within the 5 s that a serialclient waits for the next byte by default.
	DefaultPosition = 3 * time.Second
)

// The times that clients have for their part, in SetTaskLimits; they bound for how long a slow client holds a place.
const (
	// appendTime is for how long in all a batch may be on its way: 2 MiB at 17 KiB/s.
	appendTime = 2 * time.Minute
	// queryTime is for how long in all the server waits for the client of a query to take the answer.
	queryTime = time.Minute
	// patience is the window in which the clients of queries and tails have to keep to the minimum rate: a terminal that was
	// stopped for less than that goes on.
	patience = 30 * time.Second
)

// Options bound what the tasks use. In each field zero means the default.
type Options struct {
	// Queries is how many queries run at a time; beyond, they wait for QueryWait, and are then busy. Negative: no wait.
	Queries   int
	QueryWait time.Duration
	// Tails is how many tails there are at a time; those beyond are busy.
	Tails int
	// Filtering is how many tails look at records at a time, so that tails do not take the processors from those who
	// append. The default is half of them, and one at least.
	Filtering int
	// Position is how often a tail is told its position at least.
	Position time.Duration
}

func (o Options) withDefaults() Options {
	or := func(n *int, d int) {
		if *n <= 0 {
			*n = d
		}
	}
	or(&o.Queries, DefaultQueries)
	or(&o.Tails, DefaultTails)
	or(&o.Filtering, max(1, runtime.GOMAXPROCS(0)/2))
	if o.QueryWait == 0 {
		o.QueryWait = DefaultQueryWait
	}
	if o.Position <= 0 {
		o.Position = DefaultPosition
	}
	return o
}

// Service is the four tasks. Make one with New. Its methods are safe for concurrent use.
type Service struct {
	store     Store
	hub       *Hub
	options   Options
	started   time.Time
	filtering chan struct{} // has a place for each tail that looks at records

	stopOnce sync.Once
	stopping chan struct{} // closed by StopTails

	queries, missed, busy atomic.Int64 // since the start
	tails                 atomic.Int64 // now
}

// New returns the tasks on a store that publishes to the hub and has not been appended to by others than these.
func New(st Store, hub *Hub, o Options) *Service {
	hub.begin(st.Head())
	o = o.withDefaults()
	return &Service{
		store:     st,
		hub:       hub,
		options:   o,
		started:   time.Now(),
		filtering: make(chan struct{}, o.Filtering),
		stopping:  make(chan struct{}),
	}
}

// Register registers the tasks, their names and their limits with a server.
func (s *Service) Register(srv *serialserver.Server) {
	queries := serialserver.LimitConcurrency(s.options.Queries, s.options.QueryWait)
	tails := serialserver.LimitConcurrency(s.options.Tails, 0)

	srv.SetTaskLimits(logwire.TaskAppend, serialserver.Limits{MaxMessage: logwire.MaxBatch, MessageTime: appendTime})
	srv.SetTaskLimits(logwire.TaskQuery, serialserver.Limits{MaxMessage: maxRequest, MessageTime: queryTime, MinRateWindow: patience})
	// A tail has no end. A client that takes nothing is dropped after the write timeout all the same.
	srv.SetTaskLimits(logwire.TaskTail, serialserver.Limits{MaxMessage: maxRequest, MessageTime: -1, TaskTime: -1, MinRateWindow: patience})
	srv.SetTaskLimits(logwire.TaskStats, serialserver.Limits{MaxMessage: maxRequest})

	srv.Register(logwire.TaskAppend, s.counted(serialserver.WholeMessage(s.append)), "append")
	srv.Register(logwire.TaskQuery, s.counted(queries(serialserver.WholeMessageStream(s.query))), "query")
	srv.Register(logwire.TaskTail, s.counted(tails(serialserver.WholeMessageStream(s.tail))), "tail")
	srv.Register(logwire.TaskStats, s.counted(serialserver.WholeMessage(s.stats)), "stats")
}

// StopTails ends the answers of all tails, with their position, and refuses new ones as busy: the beginning of a
// stop, which tails would otherwise hold up until they are cut off. It does not block and may be called again.
func (s *Service) StopTails() { s.stopOnce.Do(func() { close(s.stopping) }) }
