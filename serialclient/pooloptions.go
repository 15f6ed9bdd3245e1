package serialclient

import (
	"context"
	"math"
	"net"
	"time"
)

// Dialer connects to an address, as net.Dialer.DialContext and tls.Dialer.DialContext do; so an application's
// handshake is done in one that wraps them. ctx is done when the time is over or the pool is closed, and the
// Dialer must return soon after that. It is called by goroutines of the pool, several at a time.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// PoolOption sets what NewPool leaves at a default.
type PoolOption func(*poolOptions)

// poolOptions are what the PoolOptions set.
type poolOptions struct {
	dialer      Dialer
	dialTimeout time.Duration
	client      []Option

	maxOpen, maxPerAddress int // maxOpen 0: as many as the addresses may have together
	maxIdle, maxWaiting    int // maxIdle -1: not set
	idleTimeout, lifetime  time.Duration

	dialsAtOnce, dialRate int
	backoff, maxBackoff   time.Duration
	patience              time.Duration

	attempts   int
	retryShare float64
	retryRate  int
}

// WithDialer sets how connections are made; nil means a net.Dialer.
func WithDialer(d Dialer) PoolOption {
	return func(o *poolOptions) {
		if d == nil {
			d = new(net.Dialer).DialContext
		}
		o.dialer = d
	}
}

// WithDialTimeout sets how long one attempt to connect may take, from the call of the Dialer to the server's
// first answer; 0 or less means DefaultDialTimeout.
func WithDialTimeout(d time.Duration) PoolOption {
	return func(o *poolOptions) { o.dialTimeout = positive(d, DefaultDialTimeout) }
}

// WithClientOptions sets the options of each connection's Client. WithKeepAlive has no effect: a Pool lets
// idle connections go.
func WithClientOptions(opts ...Option) PoolOption {
	return func(o *poolOptions) { o.client = opts }
}

// WithMaxConnections sets how many connections there may be, in all and to one address. Those that are being
// made, and closed, count. 0 or less means for total perAddress times the number of addresses, and for
// perAddress DefaultMaxPerAddress. With a total below that the connections may all be at some of the
// addresses for a while.
func WithMaxConnections(total, perAddress int) PoolOption {
	return func(o *poolOptions) {
		o.maxOpen, o.maxPerAddress = max(total, 0), positive(perAddress, DefaultMaxPerAddress)
	}
}

// WithMaxIdle sets how many idle connections are kept. One more, and that which was idle for longest is
// closed. 0 means DefaultIdlePerAddress times the number of addresses; negative: none is kept.
func WithMaxIdle(n int) PoolOption {
	return func(o *poolOptions) {
		o.maxIdle = max(n, 0)
		if n == 0 {
			o.maxIdle = -1
		}
	}
}

// WithMaxWaiting sets how many callers may wait for a connection, beside those for whom one is being made;
// one more fails with ErrPoolFull. 0 means DefaultMaxWaiting; negative: none may.
func WithMaxWaiting(n int) PoolOption {
	return func(o *poolOptions) {
		o.maxWaiting = max(n, 0)
		if n == 0 {
			o.maxWaiting = DefaultMaxWaiting
		}
	}
}

// WithIdleTimeout sets for how long a connection may be idle before it is closed. Zero means
// DefaultIdleTimeout and a negative duration none. It is never more than 3/4 of the wait timeout that the
// connection's server describes.
func WithIdleTimeout(d time.Duration) PoolOption {
	return func(o *poolOptions) { o.idleTimeout = unlessZero(d, DefaultIdleTimeout) }
}

// WithMaxLifetime sets how old a connection may become, less a random part of up to a fifth. It is closed when
// it is idle then, or when its call has ended. Zero means DefaultMaxLifetime and a negative duration none.
func WithMaxLifetime(d time.Duration) PoolOption {
	return func(o *poolOptions) { o.lifetime = unlessZero(d, DefaultMaxLifetime) }
}

// WithDialLimit sets how many attempts to connect to one address there may be at a time, and how many may
// begin in a second. 0 or less means DefaultDialsAtOnce and DefaultDialRate.
func WithDialLimit(atOnce, perSecond int) PoolOption {
	return func(o *poolOptions) {
		o.dialsAtOnce = positive(atOnce, DefaultDialsAtOnce)
		o.dialRate = min(positive(perSecond, DefaultDialRate), maxRate)
	}
}

// WithBackoff sets the pause after an attempt to connect to an address has failed: a random time below first,
// which doubles with each further failure up to most. 0 or less means DefaultBackoff and
// DefaultMaxBackoff.
func WithBackoff(first, most time.Duration) PoolOption {
	return func(o *poolOptions) {
		o.backoff = positive(first, DefaultBackoff)
		o.maxBackoff = max(positive(most, DefaultMaxBackoff), o.backoff)
	}
}

// WithPatience sets for how long a call waits, from when it wants a connection, while no address can be reached,
// before it fails with ErrUnreachable. An attempt to connect that is under way then is waited for. Zero means
// DefaultPatience, negative that it fails at once.
func WithPatience(d time.Duration) PoolOption {
	return func(o *poolOptions) { o.patience = max(unlessZero(d, DefaultPatience), 0) }
}

// WithAttempts sets how often a call is sent at most; 0 or less means DefaultAttempts, 1 that there are no
// retries. See Pool for what does not count.
func WithAttempts(n int) PoolOption {
	return func(o *poolOptions) { o.attempts = positive(n, DefaultAttempts) }
}

// WithRetryBudget sets how many retries there may be: share for each call that was answered, 0 to 1, and
// perSecond beside these, up to a million. What is not used is kept for 10 s of perSecond and two retries for
// each connection that there may be; with that the pool begins. A perSecond of 0 or less leaves the share alone.
func WithRetryBudget(share float64, perSecond int) PoolOption {
	return func(o *poolOptions) {
		o.retryShare = 0
		if share > 0 { // no NaN
			o.retryShare = min(share, 1)
		}
		o.retryRate = min(max(perSecond, 0), maxRate)
	}
}

func newPoolOptions(opts []PoolOption, addresses int) poolOptions {
	o := poolOptions{
		dialer: new(net.Dialer).DialContext, dialTimeout: DefaultDialTimeout,
		maxPerAddress: DefaultMaxPerAddress, maxIdle: -1, maxWaiting: DefaultMaxWaiting,
		idleTimeout: DefaultIdleTimeout, lifetime: DefaultMaxLifetime,
		dialsAtOnce: DefaultDialsAtOnce, dialRate: DefaultDialRate,
		backoff: DefaultBackoff, maxBackoff: DefaultMaxBackoff, patience: DefaultPatience,
		attempts: DefaultAttempts, retryShare: DefaultRetryShare, retryRate: DefaultRetryRate,
	}
	for _, opt := range opts {
		opt(&o)
	}
	if o.maxOpen == 0 {
		o.maxOpen = times(o.maxPerAddress, addresses)
	}
	if o.maxIdle < 0 {
		o.maxIdle = DefaultIdlePerAddress * addresses
	}
	o.client = append(o.client[:len(o.client):len(o.client)], WithKeepAlive(0))
	return o
}

// positive returns v, or what it is by default.
func positive[T int | time.Duration](v, byDefault T) T {
	if v <= 0 {
		return byDefault
	}
	return v
}

func unlessZero(d, byDefault time.Duration) time.Duration {
	if d == 0 {
		return byDefault
	}
	return d
}

// times is a product that does not overflow.
func times(a, b int) int {
	if a > math.MaxInt/b {
		return math.MaxInt
	}
	return a * b
}
