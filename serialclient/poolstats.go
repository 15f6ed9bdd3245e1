package serialclient

import "time"

// PoolStats is what a Pool does and has done. The numbers are of one moment.
type PoolStats struct {
	// Open connections are Idle, InUse by calls, streams, pipelines and looks at them, or being closed.
	Open, Idle, InUse int
	// Dialing is how many attempts to connect are under way, and Waiting how many callers wait for a
	// connection.
	Dialing, Waiting int

	// Dials is how many attempts to connect have begun, and DialFailures how many of these have failed.
	Dials, DialFailures uint64
	// Calls is how many calls, streams and pipelines have begun.
	Calls uint64
	// Moves is how many attempts were made again for free, because an idle connection had ended: each counts when it
	// has got another one.
	Moves uint64
	// Retries is how many others were, and RetriesDenied how many were not for want of budget.
	Retries, RetriesDenied uint64
	// Evicted is how many connections were given up, by reason.
	Evicted PoolEvictions
	// Addresses are the addresses, in the order in which NewPool was given them.
	Addresses []PoolAddressStats
}

// PoolEvictions counts the connections that a Pool has given up before its end.
type PoolEvictions struct {
	// Idle were idle for too long, Old had reached their lifetime, Surplus were more than may be idle.
	Idle, Old, Surplus uint64
	// Goodbye: the server said so. Gone: it had closed the idle connection without that.
	Goodbye, Gone uint64
	// Broken by a failure, a timeout or an abandoned call.
	Broken uint64
}

// Total is the sum of all reasons.
func (e PoolEvictions) Total() uint64 {
	return e.Idle + e.Old + e.Surplus + e.Goodbye + e.Gone + e.Broken
}

// PoolAddressStats is what a Pool knows of one address.
type PoolAddressStats struct {
	// Address is as NewPool was given it.
	Address string
	// Open, Idle, InUse and Dialing are as in PoolStats.
	Open, Idle, InUse, Dialing int
	// Failures is how many attempts to connect have failed since one succeeded, LastError why the last one
	// did, and RetryAt the end of the pause after it; nil and zero without any.
	Failures  int
	LastError error
	RetryAt   time.Time
}

// poolCounts are the counters of a Pool.
type poolCounts struct {
	dials, dialFailures           uint64
	calls, moves, retries, denied uint64
	evicted                       [evictions]uint64
}

// Stats returns the Pool's statistics, also after its end.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := &p.stats
	s := PoolStats{
		Open: len(p.conns), Idle: p.idle, Dialing: len(p.dials), Waiting: p.waiting.n,
		Dials: n.dials, DialFailures: n.dialFailures,
		Calls: n.calls, Moves: n.moves, Retries: n.retries, RetriesDenied: n.denied,
		Evicted: PoolEvictions{
			Idle: n.evicted[evictedIdle], Old: n.evicted[evictedOld], Surplus: n.evicted[evictedSurplus],
			Goodbye: n.evicted[evictedGoodbye], Gone: n.evicted[evictedGone], Broken: n.evicted[evictedBroken],
		},
	}
	for _, a := range p.addresses {
		s.InUse += a.busy
		s.Addresses = append(s.Addresses, PoolAddressStats{
			Address: a.name, Open: a.open, Idle: len(a.idle), InUse: a.busy, Dialing: a.dialing,
			Failures: a.failures, LastError: a.lastError, RetryAt: a.retryAt,
		})
	}
	return s
}

// madeLocked counts an attempt that has its connection.
func (p *Pool) madeLocked(kind attemptKind) {
	switch kind {
	case moved:
		p.stats.moves++
	case retried:
		p.stats.retries++
	}
}

// notMadeLocked gives back what an attempt that has got no connection took from the budget.
func (p *Pool) notMadeLocked(kind attemptKind) {
	if kind == retried {
		p.retries.add(token)
	}
}

// mayRetry takes a retry from the budget.
func (p *Pool) mayRetry() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.retries.take(time.Now()) {
		p.stats.denied++
		return false
	}
	return true
}
