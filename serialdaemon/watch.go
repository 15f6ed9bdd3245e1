package serialdaemon

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
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

// fileWatch watches the directories in which files, and directories and links on the way to them, may be replaced, up to
// the root. One goroutine uses it.
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
func (w *fileWatch) matters(name string) bool {
	name = filepath.Clean(name) // below the root it has two slashes
	return w.entries[name] || w.dirs[name]
}

// maxRefresh is how often the directories are looked for at a time, at most, while links among them change.
const maxRefresh = 10

// refresh watches the directories that matter now. A link that changes before its directory is watched is not told of: so
// they are looked for again, until they are those that are being watched.
func (w *fileWatch) refresh() {
	w.look()
	for range maxRefresh {
		before := w.entries
		w.watch()
		if w.look(); w.notify == nil || maps.Equal(before, w.entries) {
			return
		}
	}
}

// look notes the names that matter now.
func (w *fileWatch) look() {
	w.entries = make(map[string]bool)
	for _, path := range w.paths {
		if path == "" {
			continue
		}
		if absolute, err := filepath.Abs(path); err == nil {
			w.follow(absolute)
		}
	}
}

// watch watches the directories of these names, and no others. Those that it has watched before are watched anew, since
// other ones may have their names now, and each before those in it: what happens to it from then on is told.
func (w *fileWatch) watch() {
	former := w.dirs
	w.dirs = make(map[string]bool)
	for entry := range w.entries {
		w.dirs[filepath.Dir(entry)] = true
	}
	if w.notify == nil {
		return
	}
	for dir := range former {
		_ = w.notify.Remove(dir) // which has gone by itself if the directory has
	}
	for _, dir := range slices.Sorted(maps.Keys(w.dirs)) {
		if err := w.notify.Add(dir); err != nil {
			w.log.Warn("directory is not watched", zap.String("directory", dir), zap.Error(err))
		}
	}
}

// follow notes what may change where an absolute path leads: each directory and link on its way, the file at its end,
// and, if there is none, the first name that is missing.
func (w *fileWatch) follow(path string) {
	rest, at := split(path), string(filepath.Separator)
	for links := 0; len(rest) > 0 && links <= maxLinks; {
		entry := filepath.Join(at, rest[0])
		rest = rest[1:]
		w.entries[entry] = true
		info, err := os.Lstat(entry)
		switch {
		case err != nil:
			return
		case info.Mode().Type() == os.ModeSymlink:
			target, err := os.Readlink(entry)
			if err != nil {
				return
			}
			links++
			if filepath.IsAbs(target) {
				at = string(filepath.Separator)
			}
			rest = append(split(target), rest...)
		default:
			at = entry
		}
	}
}

// split returns the names in a path.
func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == filepath.Separator })
}
