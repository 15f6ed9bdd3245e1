package serialdaemon

import (
	"context"
	"io/fs"
	"net"
	"os"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/serialserver"
)

var (
	Nearest  = nearest
	Distance = distance
)

const MaxUnixPath = maxUnixPath

// Bind binds endpoints. files are those that systemd would have passed.
func Bind(ctx context.Context, files []*os.File, endpoints ...*Endpoint) ([][]net.Listener, error) {
	from := sources{systemd: &activated{files: func() []*os.File { return files }}}
	all, err := bindAll(ctx, from, endpoints)
	var listeners [][]net.Listener
	for _, b := range all {
		listeners = append(listeners, b.listeners)
	}
	return listeners, err
}

// MakeRoom makes room for a socket's file. pause runs between the two probes.
func MakeRoom(ctx context.Context, path string, pause func(context.Context, time.Duration) error) error {
	return socketFile{path, pause}.makeRoom(ctx)
}

var (
	RemoveFile = removeFile
	Settle     = settle
)

// Same is whether two files are the same one.
func Same(a, b fs.FileInfo) bool { return same(a, b) }

// Tell makes a group tell notify what it would tell systemd, which wants a sign of life in each interval.
func (g *Group) Tell(notify func(state string) error, interval time.Duration, err error) {
	g.system.notify = notify
	g.system.watchdog = func() (time.Duration, error) { return interval, err }
}

// SignalIsMinded reports whether a signal means something.
func SignalIsMinded(s os.Signal) bool { return meaningOf(s) != meansNothing }

// Unheard makes a group watch no files.
func (g *Group) Unheard() { g.unheard = true }

// SettleTime is how long after a change files are read.
const SettleTime = settleTime

// FollowedNames are the names that matter for a path, and the directories that are watched for it.
func FollowedNames(paths ...string) (entries, dirs map[string]bool) {
	w := fileWatch{paths: paths}
	w.refresh()
	return w.entries, w.dirs
}

// WatchLoop calls changed after events that are about path.
func WatchLoop(ctx context.Context, path string, events <-chan fsnotify.Event, errs <-chan error, changed func()) {
	w := fileWatch{paths: []string{path}, log: zap.NewNop()}
	w.refresh()
	w.loop(ctx, events, errs, changed)
}

// Impatient makes a group wait for the next process for d alone.
func (g *Group) Impatient(d time.Duration) { g.patience = d }

// Stranger makes a group take its process for another user's.
func (g *Group) Stranger() { g.strange = 1 }

// ServeControl serves a control socket.
func (g *Group) ServeControl(ctx context.Context, control net.Listener) bool {
	return g.serveControl(ctx, control)
}

// RunAnd is Run, which does something else between its Start and its Wait.
func (g *Group) RunAnd(between func(), server *serialserver.Server, endpoints ...*Endpoint) error {
	m, err := g.start(context.Background(), context.Background(), server, endpoints)
	if err != nil {
		return err
	}
	between()
	return g.waitFor(context.Background(), m)
}

// HandOver hands over to the process at the other end.
func (g *Group) HandOver(ctx context.Context, conn *net.UnixConn) error { return g.handOver(ctx, conn) }
