package serialdaemon

import (
	"context"
	"errors"
)

// makeReady begins to be ready with what was started, in the background: a former process and the application have their
// part in it, and signals are minded meanwhile.
func (w *waiting) makeReady() {
	switch {
	case w.stopped != nil:
		return
	case w.readied != nil:
		w.again = true
		return
	}
	readied := make(chan error, 1)
	w.readied = readied
	go func() { readied <- w.group.becomeReady() }()
}

// isReady goes on when becomeReady has ended.
func (w *waiting) isReady(err error) {
	w.readied = nil
	if err != nil {
		w.failed = errors.Join(w.failed, err)
		w.stop(nil)
		return
	}
	if control := w.group.control(); control != nil && control != w.control && w.stopped == nil {
		w.endControl() // of a socket that a stop has closed
		w.control = control
		w.handed, w.endControl = w.group.beginControl(control)
	}
	if w.again {
		w.again = false
		w.makeReady()
	}
}

// awaitReady waits for a becomeReady that is under way, but not for ever.
func (w *waiting) awaitReady() {
	if w.readied == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		<-w.readied
		close(done)
	}()
	w.group.await("ready", done)
}

// becomeReady tells that what was started listens: first a former process, which accepts until then. It does nothing
// if nothing was started, if a stop goes on, or if all of that was told.
func (g *Group) becomeReady() error {
	if err := g.confirm(); err != nil {
		return err
	}
	if !g.beginReady() {
		return nil
	}
	if g.OnReady != nil {
		_ = g.call(context.Background(), "on ready", func(context.Context) error {
			g.OnReady(g.allAddrs())
			return nil
		})
	}
	g.tellInOrder(stateReady, g.announce)
	return nil
}

// beginReady reports whether somebody is to be told.
func (g *Group) beginReady() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ready || g.stop != nil || len(g.members) == 0 {
		return false
	}
	g.ready = true
	return true
}

// announce reports whether systemd may be told that the process is ready, and notes it.
func (g *Group) announce() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.ready { // a stop has begun
		return false
	}
	g.announced = true
	return true
}
