package serialserver

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"time"

	"github.com/serialkit/serialkit/serial"
)

// cutGrace is how long Shutdown waits for the TaskFuncs that it has cut off, and lateGrace, after that, for
// connections that it has closed.
const (
	cutGrace  = 30 * time.Millisecond
	lateGrace = 20 * time.Millisecond
)

// Shutdown stops the server gracefully. The listeners of Serve are closed; idle clients get Goodbye at
// once, the others when their task has been answered, and those that come later, to HandleConnection too,
// before their first task. So every request whose task code was read is answered, and every other one of a
// connection that was accepted is refused with Goodbye.
//
// When ctx is done, the connections that are left are closed, with the contexts of their tasks cancelled for
// the cause ErrDisconnectTimeout and those of handshakes for ErrServerClosed, and Shutdown returns 50 ms later
// at the latest, also when a TaskFunc ignores its context. The error is then the cause of ctx, and otherwise
// nil. The Report is about the whole stop, also where Shutdown is called several times, at the same time or
// again. Connections that come to HandleConnection after the first call are refused and reported, and not
// waited for; Wait waits for them.
//
// It may be called from a TaskFunc or a Handshake, with a context that is or is derived from theirs: it does not
// wait for those that are in a Shutdown themselves then, and leaves them alone. Their own context ends when the
// client vanishes and, for what they leave behind, when the task ends:
// context.WithTimeout(context.WithoutCancel(ctx), d) does not.
func (s *Server) Shutdown(ctx context.Context) (Report, error) {
	s.stop()
	for _, c := range s.Clients() {
		c.leave()
	}
	self := s.caller(ctx)
	s.enterShutdown(self, 1)
	defer s.enterShutdown(self, -1)
	if s.await(ctx.Done(), self) {
		return s.report(self), nil
	}
	s.cutAll(self, func(c *Client) { c.Disconnect(0) })
	if !s.awaitFor(cutGrace, self) {
		s.cutAll(self, (*Client).abandon)
		s.awaitFor(lateGrace, self)
	}
	return s.report(self), context.Cause(ctx)
}

// Close stops the server at once: the listeners of Serve and all connections are closed, with the contexts
// of their tasks cancelled for the cause ErrClosed, and those of handshakes for ErrServerClosed. The clients are
// told nothing. It does not wait for the connections; Wait does. The error is that of closing the listeners.
func (s *Server) Close() error {
	closing := s.stop()
	s.cutAll(caller{}, (*Client).closeAside)
	return <-closing
}

// stop makes sure that no task begins on a connection that comes from now on, and begins to close the listeners.
// The channel says how that went; nil after an earlier stop.
func (s *Server) stop() <-chan error {
	closing := make(chan error, 1)
	s.mu.Lock()
	if s.isDown() {
		s.mu.Unlock()
		closing <- nil
		return closing
	}
	close(s.down)
	s.unawaited = nil
	listeners := slices.Collect(maps.Keys(s.listeners))
	s.changedLocked() // now they count
	s.mu.Unlock()
	go func() { closing <- closeAll(listeners) }()
	return closing
}

// closeAll closes listeners, side by side: one may last.
func closeAll(listeners []*listening) error {
	errs := make(chan error)
	for _, l := range listeners {
		go func() { errs <- l.Close() }()
	}
	var all error
	for range listeners {
		all = errors.Join(all, <-errs)
	}
	return all
}

// caller is from where a Shutdown was called: what it must not wait for.
type caller struct {
	client  *Client  // whose task calls it; nil: none does
	arrival *arrival // whose handshake does
}

// clientKey and arrivalKey are the keys of a connection's Client and arrival in its context.
type (
	clientKey  struct{}
	arrivalKey struct{}
)

func (s *Server) caller(ctx context.Context) caller {
	client, _ := ctx.Value(clientKey{}).(*Client)
	a, _ := ctx.Value(arrivalKey{}).(*arrival)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, here := s.arrivals[a]; !here { // it is another server's, or over
		a = nil
	}
	return caller{client, a}
}

// inside reports whether it is called from a connection.
func (c caller) inside() bool { return c.client != nil || c.arrival != nil }

// enterShutdown notes that who calls is in a Shutdown, with those whose tasks it was called from in turn.
func (s *Server) enterShutdown(self caller, n int) {
	if !self.inside() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := self.client; c != nil; c = c.outer {
		if s.callers[c] += n; s.callers[c] == 0 {
			delete(s.callers, c)
		}
	}
	if self.arrival != nil {
		self.arrival.calling += n
	}
	s.changedLocked()
}

// await waits until no connection is left that is to be waited for. It reports false if it ended before.
func (s *Server) await(ended <-chan struct{}, self caller) bool {
	for {
		s.mu.Lock()
		left, changed := s.awaitedLocked(self), s.changed
		s.mu.Unlock()
		if left == 0 {
			return true
		}
		select {
		case <-changed:
		case <-ended:
			return false
		}
	}
}

// awaitFor is await for a while.
func (s *Server) awaitFor(d time.Duration, self caller) bool {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return s.await(ctx.Done(), self)
}

// awaitedLocked returns how many connections, and calls of Serve, are to be waited for.
func (s *Server) awaitedLocked(self caller) int {
	left := len(s.clients) - len(s.unawaited) + len(s.arrivals) + len(s.listeners)
	if !self.inside() {
		return left
	}
	for c := range s.callers {
		if _, here := s.clients[c]; here {
			left--
		}
	}
	for a := range s.arrivals {
		if a.calling > 0 {
			left--
		}
	}
	return left
}

// cutAll ends the handshakes, and the connections by cut, but for those that are in a Shutdown, if self is.
func (s *Server) cutAll(self caller, cut func(*Client)) {
	s.mu.Lock()
	arrivals, clients := slices.Collect(maps.Keys(s.arrivals)), slices.Collect(maps.Keys(s.clients))
	if self.inside() {
		arrivals = slices.DeleteFunc(arrivals, func(a *arrival) bool { return a.calling > 0 })
		clients = slices.DeleteFunc(clients, func(c *Client) bool { return s.callers[c] > 0 })
	}
	s.mu.Unlock()
	for _, a := range arrivals {
		a.cancel(ErrServerClosed)
	}
	for _, c := range clients {
		cut(c)
	}
}

// Report says what became of the connections in a stop. Each is counted once, those whose tasks call Shutdown
// when they have ended.
type Report struct {
	// Idle is how many had no task when the stop began, or came later: they were told Goodbye, unless they took
	// none.
	Idle int
	// Drained is how many had a task, or an answer that was being written, and were answered.
	Drained int
	// Failed is how many had a task, or were in their handshake, that ended by itself without an answer: it
	// was dropped, or the client has gone.
	Failed int
	// Cut is how many were closed although a task ran, its answer was being written, or they were in their
	// handshake.
	Cut int
	// Running are the tasks whose TaskFuncs have not returned yet, although their connections were
	// closed and their contexts cancelled.
	Running []RunningTask
}

// RunningTask is a task that does not end.
type RunningTask struct {
	// Remote is the client's address.
	Remote net.Addr
	// Code and Name are the task's.
	Code serial.TaskCode
	Name string
	// Age is for how long it has been running.
	Age time.Duration
}

// report returns what has become of the connections so far.
func (s *Server) report(self caller) Report {
	s.mu.Lock()
	r := s.tally
	clients := slices.Collect(maps.Keys(s.clients))
	for a := range s.arrivals {
		if a.calling == 0 {
			r.Cut++
		}
	}
	callers := maps.Clone(s.callers)
	s.mu.Unlock()
	for _, c := range clients {
		t, cut := c.atItsEnd()
		if self.inside() && (callers[c] > 0 || t != nil && !cut) { // it was in a Shutdown until now
			continue
		}
		r.count(c, nil)
		if t != nil {
			r.Running = append(r.Running, RunningTask{
				Remote: c.RemoteAddr(), Code: t.reg.code, Name: t.reg.name, Age: time.Since(t.start),
			})
		}
	}
	return r
}

// atItsEnd returns the task that runs, and whether the connection was closed on this side.
func (c *Client) atItsEnd() (t *task, cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.task, c.cut.cause != nil
}

// count adds a connection to the report, which has ended, or was closed and is about to.
func (r *Report) count(c *Client, e *ending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.busy:
		r.Idle++
	case e == nil || c.cut.cause != nil:
		r.Cut++
	case e.answered():
		r.Drained++
	default:
		r.Failed++
	}
}

// answered reports whether all that was to be answered was, when the connection ended.
func (e *ending) answered() bool {
	return e.reason <= ClosedGraceful || e.reason == ClosedUnread
}
