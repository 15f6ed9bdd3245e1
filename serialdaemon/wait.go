package serialdaemon

import (
	"context"
	"errors"
	"net"
	"os"

	"go.uber.org/zap"
)

// Wait calls OnReady, tells systemd that the process is ready, and blocks until it has stopped, for which there are these reasons:
// SIGINT or SIGTERM, the end of ctx, Close, an endpoint that fails, or that nothing is left of what was started. If nothing
// was started yet, the process is ready when something is: with the first server, so start all of them before Wait if a
// former process hands over the listeners of several. It stops everything in the group then, and returns the errors of all that was started, joined; nil after a
// stop in which nothing was cut off. ExitCode makes a status of it.
//
// A second SIGINT or SIGTERM stops at once, and the first one does not, also where a stop goes on. SIGHUP loads the
// certificates again and calls Reload. SIGUSR2 stops the servers, as a SIGTERM does, but not Wait. No other signal is
// touched. Only one Wait runs at a time: another one returns ErrWaiting.
func (g *Group) Wait(ctx context.Context) error { return g.waitFor(ctx, nil) }

// waitFor is Wait. It returns, too, if m, which may be nil, was stopped before.
func (g *Group) waitFor(ctx context.Context, m *member) error {
	w, err := g.beginWait(m)
	if err != nil {
		return err
	}
	return w.run(ctx)
}

// CloseOnAbort is a Wait in the background, for a program that has something else to do. The signals are
// minded when it returns. The channel gets what Wait returns unless that is nil, and is then closed: everything
// has stopped. It need not be read.
func (g *Group) CloseOnAbort(ctx context.Context) <-chan error {
	errs := make(chan error, 1)
	w, err := g.beginWait(nil)
	if err != nil {
		errs <- err
		close(errs)
		return errs
	}
	go func() {
		defer close(errs)
		if err := w.run(ctx); err != nil {
			errs <- err
		}
	}()
	return errs
}

// run is Wait.
func (w *waiting) run(ctx context.Context) error {
	g := w.group
	defer g.endWait()
	defer w.release()
	reload, endBackground := g.background()
	defer endBackground()
	defer func() { w.endControl() }()
	defer w.awaitReady()
	w.makeReady()
	ended := ctx.Done()
	for {
		select {
		case s, ok := <-w.signals:
			if !ok {
				w.signals = nil // of a Group whose signals are not the process's
				continue
			}
			w.mind(s, reload)
		case <-ended:
			ended = nil
			w.stop(nil)
		case s := <-w.news:
			w.stop(s)
		case <-w.started:
			w.makeReady()
		case err := <-w.readied:
			w.isReady(err)
		case <-w.handed:
			w.handed = nil
			w.stopHanded()
		case <-w.stopped:
			return w.result()
		}
	}
}

// mind does what a signal means.
func (w *waiting) mind(s os.Signal, reload func()) {
	w.group.log().Info("signal", zap.Stringer("signal", s))
	switch meaningOf(s) {
	case meansStop:
		w.stopOrAbort()
	case meansReload:
		if w.stopped == nil {
			reload()
		}
	case meansDrain:
		w.drain()
	}
}

// waiting is what Wait's loop knows.
type waiting struct {
	group   *Group
	signals <-chan os.Signal // nil when there are no more
	release func()           // them
	news    <-chan *stop     // of the group
	started <-chan struct{}  // of the group
	asked   bool             // a signal has asked for a stop
	failed  error            // of a handover
	readied chan error       // gets the end of a becomeReady; nil if none runs
	again   bool             // something was started meanwhile

	control    net.Listener    // the control socket that is served; nil: none
	handed     <-chan struct{} // closed when the next process serves
	endControl func()          // ends serving it, and waits for that

	stops   []*stop         // those that it has begun, which may be the same one several times
	stopped <-chan struct{} // closed when the one that ends Wait is over; nil before that has begun
}

// stop waits for a stop, nil meaning one that is to be begun.
func (w *waiting) stop(s *stop) {
	if w.stopped == nil {
		if s == nil {
			s = w.group.beginStop(stateStopping)
		}
		w.stops, w.stopped = append(w.stops, s), s.done
	}
}

// stopHanded stops because the next process serves.
func (w *waiting) stopHanded() {
	if w.stopped == nil {
		w.stop(w.group.beginHandedStop())
	}
}

// stopOrAbort stops, and at once if a signal has asked for a stop before. One that something else has begun, such as the
// next process that serves, is not cut short by the first signal: that may come from who does not know of it.
func (w *waiting) stopOrAbort() {
	w.stop(nil)
	if w.asked {
		w.stops[len(w.stops)-1].abort(ErrAborted)
	}
	w.asked = true
}

// drain stops the servers and not the process.
func (w *waiting) drain() {
	if w.stopped == nil {
		w.stops = append(w.stops, w.group.beginStop(stateDraining))
	}
}

// result returns the errors of all stops that Wait has seen, once each.
func (w *waiting) result() error {
	errs := []error{w.failed}
	seen := make(map[*stop]bool)
	for _, s := range w.stops {
		<-s.done
		if !seen[s] {
			errs = append(errs, s.errs...)
		}
		seen[s] = true
	}
	return errors.Join(errs...)
}

// beginWait begins to mind signals. What has stopped m, which may be nil, it is to end with.
func (g *Group) beginWait(m *member) (*waiting, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting {
		return nil, ErrWaiting
	}
	g.waiting = true
	g.announced = false
	w := &waiting{group: g, news: g.newsLocked(), started: g.startedLocked(), signals: g.Signals}
	w.release, w.endControl = func() {}, func() {}
	if w.signals == nil {
		w.signals, w.release = notifySignals()
	}
	switch {
	case g.stop != nil && g.stop.leaving:
		g.reportLocked(g.stop) // a Close that goes on already is what this Wait waits for
	case m != nil && m.stop != nil:
		g.reportLocked(m.stop)
	}
	return w, nil
}

func (g *Group) endWait() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = false
	if s, ok := g.takeNewsLocked(); ok && s == nil { // it is not about the Close that has ended this Wait
		g.reportLocked(nil)
	}
}

// background starts what runs beside Wait's loop. reload asks for a reload; while one goes on, one more
// is kept.
func (g *Group) background() (reload, end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	asked, reloads := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(reloads)
		g.reloads(ctx, asked)
	}()
	watchdog := make(chan struct{})
	if interval := g.watchdogInterval(); interval > 0 {
		go func() {
			defer close(watchdog)
			g.watchdog(ctx, interval)
		}()
	} else {
		close(watchdog)
	}
	reload = func() {
		select {
		case asked <- struct{}{}:
		default:
		}
	}
	return reload, func() {
		cancel()
		g.await("reload", reloads)
		g.await("health", watchdog)
	}
}
