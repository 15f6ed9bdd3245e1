package serialdaemon

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"go.uber.org/zap"
)

// stop is one stop of a group.
type stop struct {
	members []*member
	handed  bool                          // the next process serves: it is that one that is deregistered later
	leaving bool                          // it ends the process; the group's mu guards it
	hooks   []func(context.Context) error // the first to be called first
	ctx     context.Context               // done when it is to be over at once
	abort   context.CancelCauseFunc
	room    int // as many errors as there can be

	done chan struct{} // closed at the end
	errs []error       // after done
}

// beginStop begins a stop, unless one is going on, and tells systemd the state.
func (g *Group) beginStop(state string) *stop { return g.begin(state, false) }

// beginHandedStop is beginStop after the listeners were handed over: without hooks and delay.
func (g *Group) beginHandedStop() *stop { return g.begin(stateStopping, true) }

func (g *Group) begin(state string, handed bool) *stop {
	s, begun := g.newStop(state == stateStopping, handed)
	g.tellInOrder(state, func() bool { return true })
	if begun {
		go g.runStop(s)
	}
	return s
}

// newStop returns the stop that is going on. It reports whether that is a new one.
func (g *Group) newStop(leaving, handed bool) (*stop, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left = g.left || leaving
	if g.stop != nil {
		g.stop.leaving = g.stop.leaving || leaving
		return g.stop, false
	}
	if g.life != nil {
		g.life.end()
	}
	s := &stop{handed: handed, leaving: leaving, hooks: g.hooks, errs: g.errs, done: make(chan struct{})}
	s.ctx, s.abort = context.WithCancelCause(context.Background())
	s.room = len(s.errs) + len(s.hooks) + 1
	for _, m := range g.members {
		m.stop = s
		s.members = append(s.members, m)
		s.room += cap(m.errs)
	}
	slices.Reverse(s.hooks)
	g.stop, g.hooks, g.errs = s, nil, nil
	g.life, g.ready = nil, false
	return s, true
}

// runStop is the order of a stop: not ready, which it is already, then the hooks, the delay, and the servers,
// which stop accepting, drain, close and report.
func (g *Group) runStop(s *stop) {
	g.log().Info("stopping")
	g.leaveHandover()
	if len(s.hooks) > 0 && !s.handed {
		s.errs = append(s.errs, g.callHooks(s)...)
	}
	if g.StopDelay > 0 && len(s.members) > 0 && !s.handed {
		_ = pause(s.ctx, g.StopDelay)
	}
	g.stopMembers(s)
	g.endStop()
	g.log().Info("stopped")
	s.abort(nil)
	close(s.done)
}

// stopMembers stops the servers, side by side, and takes their errors.
func (g *Group) stopMembers(s *stop) {
	for _, m := range s.members {
		release := context.AfterFunc(s.ctx, func() { m.cut(context.Cause(s.ctx)) })
		defer release()
		m.halt()
	}
	for _, m := range s.members {
		<-m.done
		s.errs = append(s.errs, m.all...)
	}
}

// endStop lets the group begin anew.
func (g *Group) endStop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stop = nil
	if s, ok := g.takeNewsLocked(); ok && s != nil { // what is nil was about what has been stopped
		g.reportLocked(s)
	}
}

// callHooks calls the hooks, and goes on without them when their time is over.
func (g *Group) callHooks(s *stop) []error {
	ctx, cancel := context.WithTimeoutCause(s.ctx, HookTimeout, errHooksTimeout)
	defer cancel()
	returned := make(chan error, len(s.hooks))
	go func() {
		defer close(returned)
		for _, hook := range s.hooks {
			returned <- g.call(ctx, "stop hook", hook)
		}
	}()
	var errs []error
	for {
		select {
		case err, more := <-returned:
			if !more {
				return errs
			}
			if err != nil {
				errs = append(errs, err)
			}
		case <-ctx.Done():
			return append(errs, context.Cause(ctx))
		}
	}
}

var errHooksTimeout = errors.New("serialdaemon: the time of the stop's hooks is over")

// errGoexit is a call of the application that has ended its goroutine (runtime.Goexit).
var errGoexit = errors.New("serialdaemon: it has ended its goroutine")

// call calls into the application, in a goroutine of its own, which may be ended. That is an error, and so is a panic,
// which is logged with its stack.
func (g *Group) call(ctx context.Context, what string, f func(context.Context) error) error {
	returned := make(chan error, 1)
	go func() {
		err := errGoexit
		defer func() { returned <- g.outcome(what, recover(), err) }()
		err = f(ctx)
	}()
	return <-returned
}

// outcome is what became of a call, and logs it.
func (g *Group) outcome(what string, panicked any, err error) error {
	switch {
	case panicked != nil:
		err = fmt.Errorf("serialdaemon: %s: panic: %v", what, panicked)
		g.log().Error("panic", zap.ByteString("stack", debug.Stack()), zap.Error(err))
	case err != nil:
		err = &reason{where: what, err: err}
		g.log().Error("failed", zap.Error(err))
	}
	return err
}

// await waits for what a Wait has begun, but not for ever: it may be in the application's hands.
func (g *Group) await(what string, done <-chan struct{}) {
	timer := time.NewTimer(HookTimeout)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		g.log().Warn("does not end", zap.String("what", what))
	}
}
