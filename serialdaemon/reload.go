package serialdaemon

import (
	"context"

	"go.uber.org/zap"
)

// reloads reloads whenever it is asked to, until ctx is done.
func (g *Group) reloads(ctx context.Context, asked <-chan struct{}) {
	for ctx.Err() == nil {
		select {
		case <-asked:
			told := g.tellInOrder(stateReloading(), g.isAnnounced)
			g.reload(ctx)
			if told {
				g.tellInOrder(stateReady, func() bool { return ctx.Err() == nil && g.isAnnounced() })
			}
		case <-ctx.Done():
			return
		}
	}
}

// reload loads the certificates of everything that was started, and then lets the application reload.
func (g *Group) reload(ctx context.Context) {
	for _, b := range g.allBound() {
		if b.certificates != nil {
			b.reloadCertificates(g.log())
		}
	}
	if g.Reload != nil && g.call(ctx, "reload", g.Reload) == nil {
		g.log().Info("reloaded")
	}
}

// reloadCertificates logs what became of it.
func (b *bound) reloadCertificates(lg *zap.Logger) {
	lg = lg.With(zap.Stringer("endpoint", b.endpoint))
	switch changed, err := b.certificates.Reload(); {
	case err != nil:
		lg.Error("certificates not loaded, the former ones stay", zap.Error(err))
	case changed:
		lg.Info("certificates loaded")
	}
}

// allBound returns the endpoints of everything that is being served.
func (g *Group) allBound() []*bound {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []*bound
	for _, m := range g.members {
		all = append(all, m.bound...)
	}
	return all
}

// isAnnounced reports whether systemd takes the process for one that is ready: it was told so, and not that the
// process stops.
func (g *Group) isAnnounced() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.announced && !g.left
}
