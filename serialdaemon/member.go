package serialdaemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/serialserver"
)

var errNoEndpoint = fmt.Errorf("%w: there is no endpoint to listen on", ErrUsage)

// member is a server that is being served.
type member struct {
	group   *Group
	tracked bool // the group knows of it
	server  *serialserver.Server
	bound   []*bound

	halt  func()          // stops it
	halts chan struct{}   // closed by halt
	abort context.Context // done when nothing may go on any more
	cut   context.CancelCauseFunc

	failing atomic.Bool     // an endpoint has failed
	open    <-chan struct{} // closed when it may accept: at once, unless a former process still does; set before run

	stop *stop // that stops it; nil if none does; the group's mu guards it

	errs chan error // has room for all; closed at the end
	all  []error    // what errs got; run's, and everybody's after done
	done chan struct{}
}

func newMember(g *Group, server *serialserver.Server, all []*bound, tracked bool) *member {
	m := &member{group: g, tracked: tracked, server: server, bound: all, open: alwaysOpen}
	m.halts, m.done = make(chan struct{}), make(chan struct{})
	m.halt = sync.OnceFunc(func() { close(m.halts) })
	m.abort, m.cut = context.WithCancelCause(context.Background())
	m.errs = make(chan error, len(m.addrs())+1)
	return m
}

// isOpen reports whether it may accept.
func (m *member) isOpen() bool {
	select {
	case <-m.open:
		return true
	default:
		return false
	}
}

// addrs returns where it listens.
func (m *member) addrs() []net.Addr {
	var addrs []net.Addr
	for _, b := range m.bound {
		for _, l := range b.listeners {
			addrs = append(addrs, l.Addr())
		}
	}
	return addrs
}

// run serves until ctx is done, halt is called or an endpoint fails, and then stops the server.
func (m *member) run(ctx context.Context) {
	defer m.cut(nil)
	defer m.watchFiles()()
	returned := make(chan error, len(m.addrs()))
	for _, b := range m.bound {
		for _, l := range b.listeners {
			go func() { returned <- m.serve(context.WithoutCancel(ctx), b, l) }()
		}
	}
	left := cap(returned)
	select {
	case err := <-returned:
		left--
		m.add(err)
	case <-m.halts:
	case <-ctx.Done():
	}
	m.halt() // also what waits until it may accept
	m.add(m.shutdown())
	for ; left > 0; left-- {
		m.add(<-returned)
	}
	close(m.errs)
}

// watchFiles has the certificates loaded again when their files change, until the returned function is called.
func (m *member) watchFiles() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var watches sync.WaitGroup
	for _, b := range m.bound {
		if b.certificates != nil {
			watches.Go(func() { m.group.watchCertificates(ctx, b) })
		}
	}
	return func() {
		cancel()
		watches.Wait()
	}
}

// serve serves a listener, once it may. It returns nil if that was ended by a stop.
func (m *member) serve(ctx context.Context, b *bound, l net.Listener) error {
	select {
	case <-m.open:
	case <-m.halts:
		l.Close()
		return nil
	}
	err := b.serve(ctx, m.server, l)
	if errors.Is(err, serialserver.ErrServerClosed) {
		return nil
	}
	err = &EndpointError{Endpoint: b.endpoint.String(), Kind: ErrServe, Err: err}
	m.group.log().Error("endpoint failed", zap.Error(err))
	m.failing.Store(true)
	if m.tracked {
		m.group.failed()
	}
	return err
}

// add notes an error.
func (m *member) add(err error) {
	if err != nil {
		m.all = append(m.all, err)
		m.errs <- err
	}
}

// shutdown stops the server and reports.
func (m *member) shutdown() error {
	ctx, cancel := m.abort, context.CancelFunc(func() {})
	drain := m.group.DrainTimeout
	if drain == 0 {
		drain = DefaultDrainTimeout
	}
	if drain > 0 {
		ctx, cancel = context.WithTimeoutCause(ctx, drain, ErrDrainTimeout)
	}
	defer cancel()
	report, err := m.server.Shutdown(ctx)
	lg := m.group.log().With(zap.Int("idle", report.Idle), zap.Int("drained", report.Drained),
		zap.Int("failed", report.Failed), zap.Int("cut", report.Cut), zap.Int("running", len(report.Running)))
	if err == nil {
		lg.Info("server stopped")
		return nil
	}
	for _, t := range report.Running {
		m.group.log().Warn("task does not end", zap.Stringer("remote", t.Remote),
			zap.Stringer("task", t.Code), zap.String("name", t.Name), zap.Duration("age", t.Age))
	}
	lg.Warn("server stopped", zap.Error(err))
	return fmt.Errorf("%w: connections cut off: %d, of which tasks do not end: %d", err, report.Cut, len(report.Running))
}
