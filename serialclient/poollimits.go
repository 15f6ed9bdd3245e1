package serialclient

import "time"

// The default limits of a Pool. Each has a PoolOption that sets it.
const (
	// DefaultMaxPerAddress is how many connections there are to one address at most. As the tasks of a
	// connection run one after the other, it is also how many of a server's tasks one process may keep busy.
	DefaultMaxPerAddress = 32
	// DefaultIdlePerAddress, times the number of addresses, is how many idle connections are kept.
	DefaultIdlePerAddress = 16
	// DefaultMaxWaiting is how many callers may wait for a connection.
	DefaultMaxWaiting = 1024

	// DefaultIdleTimeout is for how long a connection may be idle. It is a third of what a server of
	// serialserver allows by default, and shortened where a server allows less.
	DefaultIdleTimeout = 10 * time.Minute
	// DefaultMaxLifetime is how old a connection may become. It lets load find its way back to servers
	// that have come back.
	DefaultMaxLifetime = time.Hour

	// DefaultDialTimeout bounds one attempt to connect: the Dialer and the server's first answer.
	DefaultDialTimeout = 5 * time.Second
	// DefaultDialsAtOnce is how many attempts to connect to one address there are at a time.
	DefaultDialsAtOnce = 4
	// DefaultDialRate is how many attempts to connect to one address begin in a second, and at once after
	// a quiet second.
	DefaultDialRate = 32
	// DefaultBackoff and DefaultMaxBackoff bound the pause after a failed attempt to connect: a random
	// part of DefaultBackoff, doubled with each further failure up to DefaultMaxBackoff.
	DefaultBackoff    = 100 * time.Millisecond
	DefaultMaxBackoff = 5 * time.Second
	// DefaultPatience is for how long a call waits while no address can be reached: as long as the longest
	// pause. A server that was away for seconds may be back within it and not be tried again before its end.
	DefaultPatience = DefaultMaxBackoff

	// DefaultAttempts is how often one call is sent at most.
	DefaultAttempts = 3
	// DefaultRetryShare is how many retries each answered call allows, and DefaultRetryRate how many there
	// may be in each second beside these.
	DefaultRetryShare = 0.2
	DefaultRetryRate  = 10
)

// The limits that are not settable.
const (
	// slowDial is when an attempt to connect has taken so long that another address is tried beside it: a
	// handshake across the world takes less.
	slowDial = 250 * time.Millisecond
	// lifetimeJitter is the part of the lifetime, a fifth, by which it is shortened at random, so that
	// connections that were made together do not end together.
	lifetimeJitter = 5
	// waitMargin: a connection is idle for 3/4 of the server's wait timeout at most, so that clocks and
	// networks have the rest.
	waitMarginOf, waitMargin = 4, 3
	// politeTime bounds how long Shutdown waits for the servers' Goodbyes once all calls have ended.
	politeTime = 5 * time.Second
	// retryBurst is for how many seconds of the retry rate, and for how many retries for each connection,
	// unused budget is kept: the stop of a server may move as many calls as there are connections.
	retryBurstSeconds, retryBurstPerConnection = 10, 2
	// maxRate bounds what is called a rate, so that sums do not overflow.
	maxRate = 1_000_000
)
