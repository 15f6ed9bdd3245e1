package serialdaemon

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/serialserver"
)

// The times of a stop.
const (
	// DefaultDrainTimeout is how long running tasks may take to end.
	DefaultDrainTimeout = 30 * time.Second
	// HookTimeout is how long all hooks of a stop may take together, and how long a Reload or a Healthy that
	// still runs at the end is waited for.
	HookTimeout = 5 * time.Second
)

// Group is what runs in a process: servers that are started one by one and stopped together. Its zero value is
// ready to use. The exported fields are set before the first use and do not change after it; the methods are
// safe for concurrent use.
type Group struct {
	// Handover is the path of a unix socket, the control socket, over which a process hands its listeners to
	// the next one; "" means none. See Handover in the package's documentation. Linux alone has it.
	Handover string
	// Log gets what happens, nil meaning nobody. Servers have their own, see serialserver.Server.SetLogger.
	Log *zap.Logger
	// DrainTimeout is how long a stop lets running tasks go on. 0 means DefaultDrainTimeout, negative: for
	// ever.
	DrainTimeout time.Duration
	// StopDelay is how long a stop goes on accepting after the hooks have said that the daemon is to get no
	// more clients: the time that those who look for daemons need to learn of it. 0 or less means none.
	StopDelay time.Duration
	// OnReady is called by Wait with the addresses of everything that was started, when that is served and the
	// signals are minded: from then on whoever knows of the process may connect to it and send it signals. It is called
	// once, as soon as something was started, and once more for what is started after a SIGUSR2. While it runs the process
	// hands nothing over. A panic in it is logged.
	OnReady func(addrs []net.Addr)
	// Reload is called on SIGHUP, after the certificates have been loaded again: the application reads its
	// configuration. Its ctx is done when Wait ends. An error is logged, as a panic is, and nothing else
	// happens. Calls follow each other.
	Reload func(ctx context.Context) error
	// Healthy is asked before each sign of life for systemd's watchdog, which is not given while it returns
	// an error, or does not return. nil means healthy.
	Healthy func() error
	// Signals are used in place of the process's, if it is not nil.
	Signals <-chan os.Signal

	sockets activated
	system  system // how systemd is spoken to
	unheard bool   // files are not watched: for tests that have no system

	patience time.Duration // HandoverTimeout, for tests that have less; 0: that
	strange  int           // added to this process's user, for tests that have but one

	joins    sync.Mutex // one Start at a time takes over, or gives up what it took; held meanwhile, and taken first
	telling  sync.Mutex // orders what systemd is told, and is held while it is; taken before mu
	handing  sync.Mutex // guards handover; taken before mu
	handover handover

	mu        sync.Mutex // guards what follows
	members   []*member  // in the order of their starts
	joining   int        // Starts that have begun, and not ended
	life      *life      // of these and of the members; nil if there is none yet
	hooks     []func(context.Context) error
	stop      *stop         // that is going on; nil if none is
	left      bool          // one that ends the process has begun, and nothing was started since
	ready     bool          // OnReady was called for what is served now
	announced bool          // systemd was told READY=1 by the Wait that runs
	errs      []error       // of members that have ended by themselves
	news      chan *stop    // has room for one; for Wait, see report
	started   chan struct{} // has room for one; for Wait: there may be something new to be ready with
	waiting   bool          // Wait runs
}

// Start binds every endpoint, serves them, and returns their real addresses in the order of the endpoints,
// of which those of systemd's may have several. If one cannot be bound none is, and the errors of all are
// joined: each is an *EndpointError.
//
// The channel gets what goes wrong later and is closed when the server has stopped; nobody has to read it.
// The server stops, as by Shutdown with the group's DrainTimeout, when ctx is done, when the group is
// closed, or when one of its endpoints fails, for which the error is an *EndpointError of the kind
// ErrServe. Tasks have the values of ctx, and not its end.
func (g *Group) Start(ctx context.Context, server *serialserver.Server, endpoints ...*Endpoint) ([]net.Addr, <-chan error, error) {
	m, err := g.start(ctx, ctx, server, endpoints)
	if err != nil {
		return nil, nil, err
	}
	return m.addrs(), m.errs, nil
}

// start binds while ctx lasts, and serves until the end of life.
func (g *Group) start(ctx, life context.Context, server *serialserver.Server, endpoints []*Endpoint) (*member, error) {
	m, err := g.join(ctx, server, endpoints)
	if err != nil {
		return nil, err
	}
	go func() {
		m.run(life)
		g.ended(m)
		close(m.done)
	}()
	return m, nil
}

// Serve binds the endpoints and serves them until ctx is done or one of them fails, and has stopped the server
// when it returns, as Start says. The group does not know of it: Close does not end it, Wait does not wait for
// it, and its listeners are not handed over.
func (g *Group) Serve(ctx context.Context, server *serialserver.Server, endpoints ...*Endpoint) error {
	all, err := g.bind(ctx, nil, endpoints)
	if err != nil {
		return err
	}
	m := newMember(g, server, all, false)
	m.run(ctx)
	return errors.Join(m.all...)
}

// Run is Start and then Wait. The end of ctx is a stop of the whole group.
func (g *Group) Run(ctx context.Context, server *serialserver.Server, endpoints ...*Endpoint) error {
	m, err := g.start(ctx, context.WithoutCancel(ctx), server, endpoints)
	if err != nil {
		return err
	}
	return g.waitFor(ctx, m)
}

// OnStop adds a hook to the next stop: it tells those who look for daemons that this one is going. Hooks are
// called once, the latest first, before the servers stop accepting. They have HookTimeout together, after which
// their ctx is done and nobody waits for them. What they return is logged and reported; a panic is an error.
func (g *Group) OnStop(hook func(ctx context.Context) error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hooks = append(g.hooks, hook)
}

// Ready reports whether something was started, all of it is served, and no stop has begun.
func (g *Group) Ready() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.members {
		if m.failing.Load() || !m.isOpen() {
			return false
		}
	}
	return g.stop == nil && len(g.members) > 0
}

// Close stops everything that was started, in the order that the package's documentation has, and lets what
// is started afterwards begin anew. It does not wait: the channel gets the errors of all that was started since
// the last Close, and is closed at the end. It need not be read.
func (g *Group) Close() <-chan error {
	s := g.beginStop(stateStopping)
	g.reportClose(s)
	errs := make(chan error, s.room)
	go func() {
		defer close(errs)
		<-s.done
		for _, err := range s.errs {
			errs <- err
		}
	}()
	return errs
}

// bind binds endpoints, of which there must be some. inherited, if it is not nil, returns what the former
// process had for one.
func (g *Group) bind(ctx context.Context, inherited func(*Endpoint) []net.Listener, endpoints []*Endpoint) ([]*bound, error) {
	if len(endpoints) == 0 {
		return nil, errNoEndpoint
	}
	all, err := bindAll(ctx, sources{&g.sockets, inherited}, endpoints)
	if err != nil {
		return nil, err
	}
	for _, b := range all {
		for _, l := range b.listeners {
			g.log().Info("listening", zap.Stringer("endpoint", b.endpoint), zap.Stringer("local", l.Addr()))
		}
	}
	return all, nil
}

// ended forgets a member. A stop that is going on has noted it. Where it was the last one, and nobody waits, the next
// process has nothing to take over.
func (g *Group) ended(m *member) {
	if g.forget(m) {
		g.leaveIfIdle()
	}
}

// forget reports whether nothing is left, and nothing is being started.
func (g *Group) forget(m *member) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members = slices.DeleteFunc(g.members, func(other *member) bool { return other == m })
	if g.stop != nil {
		return false
	}
	g.errs = append(g.errs, m.all...)
	if len(g.members) == 0 {
		g.reportLocked(nil)
	}
	return len(g.members) == 0 && g.joining == 0
}

// allAddrs returns where everything listens that was started.
func (g *Group) allAddrs() []net.Addr {
	g.mu.Lock()
	defer g.mu.Unlock()
	var addrs []net.Addr
	for _, m := range g.members {
		addrs = append(addrs, m.addrs()...)
	}
	return addrs
}

func (g *Group) log() *zap.Logger {
	if g.Log == nil {
		return zap.NewNop()
	}
	return g.Log
}
