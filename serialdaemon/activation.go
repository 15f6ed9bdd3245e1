package serialdaemon

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"sync"

	"github.com/coreos/go-systemd/v22/activation"
)

// errNotActivated is a process that systemd has given no sockets.
var errNotActivated = errors.New("serialdaemon: systemd has passed no sockets (LISTEN_FDS)")

// activated are the sockets that systemd has passed to the process. The environment says which, and is cleared
// when they are taken, so that child processes do not take them for theirs.
type activated struct {
	files func() []*os.File // nil: activation.Files

	mu    sync.Mutex // guards what follows
	taken bool
	left  map[string][]*os.File // those that no endpoint has asked for yet
}

// listeners returns those called name, for the first who asks.
func (a *activated) listeners(name string) ([]net.Listener, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.takeLocked()
	files, ok := a.left[name]
	switch {
	case !ok && len(a.left) == 0:
		return nil, errNotActivated
	case !ok:
		return nil, &UnknownError{What: "socket", Name: name, Known: slices.Sorted(maps.Keys(a.left))}
	case files == nil:
		return nil, fmt.Errorf("socket %s is another endpoint's already", name)
	}
	a.left[name] = nil
	var all []net.Listener
	var errs []error
	for _, f := range files {
		l, err := net.FileListener(f)
		if err == nil {
			all = append(all, l)
		}
		errs = append(errs, err, f.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, closeAll(all))
	}
	return all, nil
}

func (a *activated) takeLocked() {
	if a.taken {
		return
	}
	a.taken, a.left = true, make(map[string][]*os.File)
	files := a.files
	if files == nil {
		files = func() []*os.File { return activation.Files(true) }
	}
	for _, f := range files() {
		a.left[f.Name()] = append(a.left[f.Name()], f)
	}
}

// closeAll closes listeners that are of no use.
func closeAll(all []net.Listener) error {
	var errs []error
	for _, l := range all {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
