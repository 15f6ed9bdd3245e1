package serialdaemon

import (
	"context"
	"errors"
	"net"

	"github.com/serialkit/serialkit/serialserver"
)

// life is what is between two stops of a group. A Start that has begun in one does not end in the next.
type life struct {
	ctx context.Context // done when a stop begins
	end context.CancelFunc
}

// join makes a server a member.
func (g *Group) join(ctx context.Context, server *serialserver.Server, endpoints []*Endpoint) (*member, error) {
	now := g.beginJoin()
	if now == nil {
		return nil, errors.Join(ErrStopping, closeGiven(endpoints))
	}
	m, err := g.joinDuring(ctx, now, server, endpoints)
	g.mu.Lock()
	g.joining--
	g.mu.Unlock()
	g.leaveIfIdle()
	return m, err
}

func (g *Group) joinDuring(ctx context.Context, now *life, server *serialserver.Server, endpoints []*Endpoint) (*member, error) {
	if err := g.joinHandover(ctx, now); err != nil {
		return nil, errors.Join(err, closeGiven(endpoints))
	}
	all, err := g.bind(ctx, g.inherited, endpoints)
	if err != nil {
		return nil, err
	}
	m := newMember(g, server, all, true)
	if !g.admit(m, now) {
		return nil, errors.Join(ErrStopping, unbind(all))
	}
	return m, nil
}

// closeGiven closes the listeners that the application has made, of which nobody else will.
func closeGiven(endpoints []*Endpoint) error {
	var errs []error
	for _, e := range endpoints {
		if e.Listener != nil {
			errs = append(errs, e.Listener.Close())
		}
	}
	return errors.Join(errs...)
}

// beginJoin returns the life that goes on, nil if a stop does.
func (g *Group) beginJoin() *life {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stop != nil {
		return nil
	}
	if g.life == nil {
		g.life = &life{}
		g.life.ctx, g.life.end = context.WithCancel(context.Background())
	}
	g.joining++
	return g.life
}

// leaveIfIdle ends the group's part in handovers if nothing is served, or will be.
func (g *Group) leaveIfIdle() {
	g.joins.Lock()
	defer g.joins.Unlock()
	g.mu.Lock()
	idle := g.joining == 0 && (g.stop != nil || len(g.members) == 0)
	g.mu.Unlock()
	if idle {
		g.leaveHandover()
	}
}

// admit makes m a member, unless the life has ended that it was bound in. It may accept when the former process does
// not any more; if that has gone already, the files of its unix sockets are its own at once.
func (g *Group) admit(m *member, now *life) bool {
	alone, ok := g.tryAdmit(m, now)
	if ok && alone {
		g.grantAccess(m.own())
	}
	return ok
}

func (g *Group) tryAdmit(m *member, now *life) (alone, ok bool) {
	g.handing.Lock()
	defer g.handing.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.ctx.Err() != nil {
		return false, false
	}
	if g.handover.open != nil {
		m.open = g.handover.open
	}
	if alone = g.handover.former == nil; alone {
		keepFiles(m.own(), false)
	}
	g.members = append(g.members, m)
	g.left = false
	select {
	case g.startedLocked() <- struct{}{}:
	default:
	}
	return alone, true
}

func (g *Group) startedLocked() chan struct{} {
	if g.started == nil {
		g.started = make(chan struct{}, 1)
	}
	return g.started
}

// own are the listeners that the next process may have.
func (m *member) own() []net.Listener {
	var all []net.Listener
	for _, b := range m.bound {
		all = append(all, b.own...)
	}
	return all
}
