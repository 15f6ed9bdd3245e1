package serialserver

import (
	"cmp"
	"math"
	"time"

	"github.com/serialkit/serialkit/internal/transport"
	"github.com/serialkit/serialkit/serial"
)

// The default limits. Each has a field in Limits, or an Option, that sets it.
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

	// DefaultMaxMessage is how many bytes the message, and the answer, of a WholeMessage task may have
	// (4 MiB, as in gRPC): both are in memory at a time, once for each connection.
	DefaultMaxMessage = 4 << 20

	// DefaultMessageTime is for how long the server is blocked on its client in one task at the most, once for
	// the message and once for the answer: at the minimum rate a message could go on for ever.
	DefaultMessageTime = time.Hour

	// DefaultTaskTime is how long a task may take: long enough for any job, and short enough for one that
	// nobody remembers to end some day.
	DefaultTaskTime = 24 * time.Hour
)

// Limits bound what a client and its tasks may use. They are set for the server (WithLimits), for one client
// (Client.SetLimits) and for one task code (Server.SetTaskLimits). The task code's come first, then the
// client's, the server's and the defaults: in each field zero means what comes next.
type Limits struct {
	// UnreadInput is how many bytes of a message that its task did not read are discarded before the
	// server says Goodbye instead. Negative: none are.
	UnreadInput int64
	// MinRate is how many bytes per second a client must move while the server is blocked on it in a message
	// or an answer. Negative: there is no minimum, which a task that reads a live stream may need.
	MinRate int
	// MinRateWindow is the blocked time over which MinRate is measured. Negative: the default. With a Timeout.Read or
	// Timeout.Write that is longer, or none, it is the window that ends a client which moves nothing: set both.
	MinRateWindow time.Duration
	// MessageTime is for how long in all the server waits for the bytes of one message; and the same again
	// for its client to take the answer. Time in which the TaskFunc works does not count. At its end the
	// connection is dropped. Negative: for ever.
	MessageTime time.Duration
	// TaskTime is how long a task may take, from its code to the end of its answer. Then its context is done
	// for the cause ErrTaskTimeout, which a TaskFunc, and an out, that does not look at its context does not
	// notice. Negative: for ever.
	TaskTime time.Duration
	// MaxMessage and MaxAnswer are how many bytes the message and the answer of a task of WholeMessage may
	// have; of one of WholeMessageStream only MaxMessage counts. Beyond, the task is answered with error 251. Negative:
	// no limit.
	MaxMessage, MaxAnswer int64
}

var defaultLimits = Limits{
	UnreadInput:   DefaultUnreadInput,
	MinRate:       DefaultMinRate,
	MinRateWindow: DefaultMinRateWindow,
	MessageTime:   DefaultMessageTime,
	TaskTime:      DefaultTaskTime,
	MaxMessage:    DefaultMaxMessage,
	MaxAnswer:     DefaultMaxMessage,
}

// over returns l with the zeros replaced by what wider says.
func (l Limits) over(wider Limits) Limits {
	l.UnreadInput = cmp.Or(l.UnreadInput, wider.UnreadInput)
	l.MinRate = cmp.Or(l.MinRate, wider.MinRate)
	l.MinRateWindow = cmp.Or(l.MinRateWindow, wider.MinRateWindow)
	l.MessageTime = cmp.Or(l.MessageTime, wider.MessageTime)
	l.TaskTime = cmp.Or(l.TaskTime, wider.TaskTime)
	l.MaxMessage = cmp.Or(l.MaxMessage, wider.MaxMessage)
	l.MaxAnswer = cmp.Or(l.MaxAnswer, wider.MaxAnswer)
	return l
}

// unreadInput is how many bytes are discarded. One more is looked for.
func (l *Limits) unreadInput() int64 { return min(max(l.UnreadInput, 0), math.MaxInt64-1) }

func (l *Limits) rate() transport.Rate {
	window := l.MinRateWindow
	if window < 0 {
		window = DefaultMinRateWindow
	}
	return transport.Rate{BytesPerSecond: l.MinRate, Window: window}
}

// deadline is when a task that begins now must have ended; zero: never.
func (l *Limits) deadline(now time.Time) time.Time {
	if l.TaskTime < 0 {
		return time.Time{}
	}
	return now.Add(l.TaskTime)
}

// SetTaskLimits sets the limits of task code t, registered or not, in place of those before. They hold for the
// tasks that begin from now on, also for those that are answered with error 250 (unknown task). It panics if t is
// reserved.
func (s *Server) SetTaskLimits(t serial.TaskCode, l Limits) {
	if t.IsReserved() {
		panic("serialserver: SetTaskLimits of the reserved task code " + t.String())
	}
	r := &s.tasks
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limits[t] = l
	limits := l.over(s.limits)
	r.unregistered[t].Store(&registration{code: t, run: unknown, own: l, limits: &limits})
	if old := r.tasks[t].Load(); old != nil {
		s.storeLocked(*old)
	}
}

// SetLimits sets the client's limits in place of those before. They hold for its tasks that begin from now
// on, so the one that runs does not notice.
func (c *Client) SetLimits(l Limits) { c.limits.Store(&l) }

// limitsOfTask returns the limits of t, and those of the server for nil.
func (c *Client) limitsOfTask(t *task) *Limits {
	if t != nil {
		return t.limits
	}
	return &c.server.limits
}

// limitsOf returns the limits of a task that begins. They do not change.
func (c *Client) limitsOf(reg *registration) *Limits {
	own := c.limits.Load()
	switch {
	case own == nil && reg.limits == nil:
		return &c.server.limits
	case own == nil:
		return reg.limits
	}
	l := reg.own.over(own.over(c.server.limits))
	return &l
}
