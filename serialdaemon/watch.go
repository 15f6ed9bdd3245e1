package serialdaemon

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"
)

// settleTime is how long after a change the files are read: a certificate and its key are seldom written at
// the same moment.
const settleTime = 250 * time.Millisecond

// maxLinks bounds the symbolic links that are followed for one path, as the system does.
const maxLinks = 40

// watchCertificates loads an endpoint's certificates again when their files change, until ctx is done.
func (g *Group) watchCertificates(ctx context.Context, b *bound) {
	if g.unheard {
		return
	}
	lg := g.log().With(zap.Stringer("endpoint", b.endpoint))
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		lg.Warn("files are not watched: certificates are loaded on SIGHUP alone", zap.Error(err))
		return
	}
	defer notify.Close()
	f := b.certificates.files
	w := fileWatch{notify: notify, paths: []string{f.Cert, f.Key, f.CA}, log: lg}
	w.refresh()
	b.reloadCertificates(g.log()) // they may have changed since they were loaded
	w.loop(ctx, notify.Events, notify.Errors, func() { b.reloadCertificates(g.log()) })
}

// fileWatch watches the directories in which files, and links on the way to them, may be replaced. One
// goroutine uses it.
type fileWatch struct {
	notify  *fsnotify.Watcher // nil: nothing is watched
	log     *zap.Logger
	paths   []string        // "" is none
	entries map[string]bool // the names that matter, with their directories
	dirs    map[string]bool // that are being watched
}

// loop calls changed a while after something that matters has happened, and for what happens after that, again.
func (w *fileWatch) loop(ctx context.Context, events <-chan fsnotify.Event, errs <-chan error, changed func()) {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	pending := false
	happened := func() {
		if !pending {
			pending = true
			timer.Reset(settleTime)
		}
	}
	for {
		select {
		case e := <-events:
			if w.matters(e.Name) {
				happened()
			}
		case err := <-errs: // events may have been lost
			w.log.Warn("while files are watched", zap.Error(err))
			happened()
		case <-timer.C:
			pending = false
			w.refresh() // first: what changes from now on is seen
			changed()
		case <-ctx.Done():
			return
		}
	}
}

// matters reports whether something about this name may change what the paths lead to.
func (w *fileWatch) matters(name string) bool { return w.entries[name] || w.dirs[name] }

// refresh watches the directories that matter now.
func (w *fileWatch) refresh() {
	w.entries = make(map[string]bool)
	for _, path := range w.paths {
		if path == "" {
			continue
		}
		if absolute, err := filepath.Abs(path); err == nil {
			w.follow(absolute)
		}
	}
	dirs := make(map[string]bool)
	for entry := range w.entries {
		dirs[filepath.Dir(entry)] = true
	}
	if w.notify != nil {
		w.watch(dirs)
	}
	w.dirs = dirs
}

// watch watches these directories, and no others. One that it has watched before is watched anew: another
// one may have its name now.
func (w *fileWatch) watch(dirs map[string]bool) {
	for dir := range w.dirs {
		if !dirs[dir] {
			_ = w.notify.Remove(dir) // which has gone by itself if the directory has
		}
	}
	for dir := range dirs {
		if err := w.notify.Add(dir); err != nil {
			w.log.Warn("directory is not watched", zap.String("directory", dir), zap.Error(err))
		}
	}
}

// follow notes what may change where an absolute path leads: each link on its way, the file at its end, and, if
// there is none, the first name that is missing.
func (w *fileWatch) follow(path string) {
	rest, at := split(path), string(filepath.Separator)
	for links := 0; len(rest) > 0 && links <= maxLinks; {
		entry := filepath.Join(at, rest[0])
		rest = rest[1:]
		info, err := os.Lstat(entry)
		switch {
		case err != nil:
			w.entries[entry] = true
			return
		case info.Mode().Type() == os.ModeSymlink:
			w.entries[entry] = true
			target, err := os.Readlink(entry)
			if err != nil {
				return
			}
			links++
			if filepath.IsAbs(target) {
				at = string(filepath.Separator)
			}
			rest = append(split(target), rest...)
		case len(rest) == 0:
			w.entries[entry] = true
		default:
			at = entry
		}
	}
}

// split returns the names in a path.
func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == filepath.Separator })
}
