package serialserver

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/serialkit/serialkit/serial"
)

// Report says what became of the connections in a stop.
type Report struct {
	// Idle is how many had no task when the stop began, or came later: they were told Goodbye.
	Idle int
	// Drained is how many were answered first.
	Drained int
	// Cut is how many were closed although a task ran, or its answer was being written.
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

// cutGrace is how long Shutdown waits for the TaskFuncs that it has cut off.
const cutGrace = 50 * time.Millisecond

// Shutdown stops the server gracefully. The listeners of Serve are closed; idle clients get Goodbye at
// once, the others when their task has been answered, and those that come later, to HandleConnection too,
// before their first task. So every request whose task code was read is answered, and every other one is
// refused with Goodbye.
//
// When ctx is done, the connections that are left are closed, with the contexts of their tasks cancelled for
// the cause ErrDisconnectTimeout, and Shutdown returns 50 ms later at the latest, also when a TaskFunc
// ignores its context. The error is then the cause of ctx, and otherwise nil. The Report is about the whole
// stop, also where Shutdown is called several times, at the same time or again.
//
// It may be called from a TaskFunc, with the task's context or one derived from that; it does not wait for
// that task then.
func (s *Server) Shutdown(ctx context.Context) (Report, error) {
	s.stop()
	for _, c := range s.Clients() {
		c.leave()
	}
	self, _ := ctx.Value(clientKey{}).(*Client)
	if s.await(ctx.Done(), self) {
		return s.report(self), nil
	}
	s.cutAll(self, func(c *Client) { c.Disconnect(0) })
	grace := make(chan struct{})
	timer := time.AfterFunc(cutGrace, func() { close(grace) })
	defer timer.Stop()
	s.await(grace, self)
	return s.report(self), context.Cause(ctx)
}

// Close stops the server at once: the listeners of Serve and all connections are closed, with the contexts
// of their tasks cancelled for the cause ErrClosed. The clients are told nothing. It does not wait; Wait
// does. The error is that of closing the listeners.
func (s *Server) Close() error {
	err := s.stop()
	s.cutAll(nil, func(c *Client) { c.Close() })
	return err
}

// stop closes the listeners, and makes sure that no task begins on a connection that comes from now on.
func (s *Server) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isDown() {
		return nil
	}
	close(s.down)
	var errs []error
	for l := range s.listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// await waits until no connection is left but self's. It reports false if it ended before.
func (s *Server) await(ended <-chan struct{}, self *Client) bool {
	for {
		s.mu.Lock()
		left, changed := len(s.clients)+len(s.arrivals), s.changed
		if _, ok := s.clients[self]; ok {
			left--
		}
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

// cutAll ends the handshakes, and the connections but self's by cut.
func (s *Server) cutAll(self *Client, cut func(*Client)) {
	s.mu.Lock()
	for a := range s.arrivals {
		a.conn.Close()
	}
	s.mu.Unlock()
	for _, c := range s.connections() {
		if c != self {
			cut(c)
		}
	}
}

// report returns what has become of the connections so far.
func (s *Server) report(self *Client) Report {
	s.mu.Lock()
	r := s.tally
	s.mu.Unlock()
	for _, c := range s.Clients() {
		if t := c.running(); t != nil && c != self {
			r.Running = append(r.Running, RunningTask{
				Remote: c.RemoteAddr(), Code: t.reg.code, Name: t.reg.name, Age: time.Since(t.start),
			})
		}
	}
	return r
}

// count adds a connection that has ended after the stop to the report.
func (r *Report) count(c *Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.cut.cause != nil:
		r.Cut++
	case c.drained:
		r.Drained++
	default:
		r.Idle++
	}
}
