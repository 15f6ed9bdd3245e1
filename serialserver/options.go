package serialserver

import (
	"math"
	"time"
)

// The default timeouts.
const (
	DefaultWait  = 30 * time.Minute
	DefaultRead  = 5 * time.Second
	DefaultWrite = 5 * time.Second
)

// The default limits. Each has an Option that sets it.
const (
	// DefaultUnreadInput is how many bytes of a message that its task did not read are discarded
	// before the server says Goodbye instead (256 KiB): cheaper than a new connection up to about
	// there, and a bound on what a client can make a server read for nothing.
	DefaultUnreadInput = 256 << 10

	// DefaultMinRate is how many bytes per second a peer must move while the server is blocked on
	// it, and DefaultMinRateWindow the blocked time over which that is measured. A rolling timeout
	// alone lets a peer hold a connection with a byte every few seconds; 640 bytes in ten seconds
	// are below what any working network gives and far above that.
	DefaultMinRate       = 64
	DefaultMinRateWindow = 10 * time.Second
)

// cancelGrace is how long a task whose HandleConnection context is done may take to answer, before
// its connection is closed.
const cancelGrace = 5 * time.Second

// Timeout holds the timeouts of a connection. In each, zero means the default and a negative
// duration none.
type Timeout struct {
	// Wait is how long a client may be idle: from when its last answer was written, with nothing
	// more received, to the first byte of its next request. Then the server says Goodbye.
	Wait time.Duration
	// Read is how long the server waits for the next byte of a message. It is rolling: each byte
	// grants it anew. It runs only while the server wants to read.
	Read time.Duration
	// Write is how long the server waits for the client to take the next byte of an answer. It is
	// rolling, and runs only while the server is blocked in a write. On a connection that cannot
	// tell how much of a write is done (TLS) it holds for each 16 KiB.
	Write time.Duration
}

// withDefaults returns t, which may be nil, with its zeros replaced.
func (t *Timeout) withDefaults() Timeout {
	if t == nil {
		t = &Timeout{}
	}
	or := func(d, def time.Duration) time.Duration {
		if d == 0 {
			return def
		}
		return d
	}
	return Timeout{
		Wait:  or(t.Wait, DefaultWait),
		Read:  or(t.Read, DefaultRead),
		Write: or(t.Write, DefaultWrite),
	}
}

// Option sets what New leaves at a default.
type Option func(*Server)

// WithName gives the server a name, which Describe tells the clients.
func WithName(name string) Option {
	return func(s *Server) { s.name = name }
}

// WithUnreadInput sets how many bytes of a message that its task did not read are discarded
// before the server says Goodbye instead. 0 means DefaultUnreadInput; negative: none are.
func WithUnreadInput(bytes int64) Option {
	return func(s *Server) {
		switch {
		case bytes == 0:
			bytes = DefaultUnreadInput
		case bytes < 0:
			bytes = 0
		}
		bytes = min(bytes, math.MaxInt64-1) // one byte more is looked for
		s.unreadInput = bytes
	}
}

// WithMinRate sets how many bytes per second a peer must move while the server is blocked on it
// in a message or an answer, measured over windows of blocked time. 0 means DefaultMinRate and
// DefaultMinRateWindow; a negative rate means that there is no minimum, which a task that reads a
// live stream from its client may need.
func WithMinRate(bytesPerSecond int, window time.Duration) Option {
	return func(s *Server) {
		if bytesPerSecond == 0 {
			bytesPerSecond = DefaultMinRate
		}
		if window <= 0 {
			window = DefaultMinRateWindow
		}
		s.minRate.BytesPerSecond, s.minRate.Window = bytesPerSecond, window
	}
}
