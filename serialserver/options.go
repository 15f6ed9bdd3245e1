package serialserver

import "time"

// The default timeouts.
const (
	DefaultWait  = 30 * time.Minute
	DefaultRead  = 5 * time.Second
	DefaultWrite = 5 * time.Second
)

// cancelGrace is how long a task whose HandleConnection context is done may take to answer, before
// its connection is closed.
const cancelGrace = 5 * time.Second

// Timeout holds the timeouts of a connection. In each, zero means the default and a negative
// duration none.
//
// Read and Write do not reach beyond Limits.MinRateWindow, 10 s by default: a client that moves nothing is dropped at the
// end of the first window in which it has not moved its share, whatever they are. That is after a window, or after
// less than two if it moved as much at the beginning of one. For more patience set both, or MinRate to a negative number.
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

// WithLimits sets the limits of the server.
func WithLimits(l Limits) Option {
	return func(s *Server) { s.limits = l.over(defaultLimits) }
}
