package serialclient

import (
	"math"
	"time"
)

// The default timeouts and limits.
const (
	DefaultWait  = 30 * time.Minute
	DefaultRead  = 5 * time.Second
	DefaultWrite = 5 * time.Second

	// DefaultMaxResponse bounds the response of a byte-slice call: 4 MiB.
	DefaultMaxResponse = 4 << 20
)

// Timeout holds a Client's timeouts. In each, zero means the default and a negative duration none.
// A call's context bounds the call as a whole.
type Timeout struct {
	// Wait is how long the server may take from the end of a request, or when its response begins to be
	// waited for, to the first byte of the response. Over a socket it may be late by a hundredth.
	Wait time.Duration
	// Read is how long the server may take for each further byte of a response. It is rolling, and
	// runs only while the response is waited for. A Stream whose response is silent for longer fails.
	Read time.Duration
	// Write is how long the server may take no byte of a request. It is rolling, and runs only
	// while a write is blocked.
	Write time.Duration
}

// options are what the Options set.
type options struct {
	timeout     Timeout
	maxResponse int
	keepAlive   time.Duration // 0: none
}

// Option sets what New and Dial leave at a default.
type Option func(*options)

// WithTimeout sets the timeouts.
func WithTimeout(t Timeout) Option {
	return func(o *options) { o.timeout = t }
}

// WithMaxResponse sets how many bytes the response of a byte-slice call may have; 0 or less means
// DefaultMaxResponse. Streams have no limit but what their reader asks for.
func WithMaxResponse(bytes int) Option {
	return func(o *options) {
		o.maxResponse = min(bytes, math.MaxInt/2) // so that sums with it do not overflow
		if bytes <= 0 {
			o.maxResponse = DefaultMaxResponse
		}
	}
}

// WithKeepAlive makes the Client send a KeepAlive whenever the connection was idle for d, so that
// it stays below the server's wait timeout; 0 or less, the default, means never. A connection that a
// Pipeline or a Stream has is not idle, whether or not it is used.
func WithKeepAlive(d time.Duration) Option {
	return func(o *options) { o.keepAlive = max(d, 0) }
}

func newOptions(opts []Option) options {
	o := options{maxResponse: DefaultMaxResponse}
	for _, opt := range opts {
		opt(&o)
	}
	def := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	def(&o.timeout.Wait, DefaultWait)
	def(&o.timeout.Read, DefaultRead)
	def(&o.timeout.Write, DefaultWrite)
	return o
}
