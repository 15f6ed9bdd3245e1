package serialdaemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// How a unix socket that is in the way is looked at.
const (
	// probeTimeout is how long connecting to it may take.
	probeTimeout = time.Second
	// probeAgain is after what time one that refuses is asked again: somebody may have bound it a moment ago
	// and be about to listen.
	probeAgain = 20 * time.Millisecond
)

// socketFile is the file of a unix socket.
type socketFile struct {
	path string
	// pause waits between two probes.
	pause func(context.Context, time.Duration) error
}

// listenUnix binds the socket of an endpoint. Its file has mode, owner and group before somebody can
// connect who could not otherwise.
func listenUnix(ctx context.Context, e *Endpoint) (net.Listener, error) {
	uid, gid, err := ids(e.Owner, e.Group)
	if err != nil {
		return nil, err
	}
	s := socketFile{e.Address, pause}
	if err := s.makeRoom(ctx); err != nil {
		return nil, err
	}
	config := net.ListenConfig{Control: bindPrivately}
	l, err := config.Listen(ctx, "unix", s.path)
	if err != nil {
		return nil, err
	}
	unix := l.(*net.UnixListener)
	unix.SetUnlinkOnClose(false)
	file, err := os.Lstat(s.path)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	own := &unixListener{UnixListener: unix, file: file, path: s.path}
	own.access = access{uid, gid, cmp.Or(e.Mode, DefaultMode)}
	if err := own.access.grant(s.path); err != nil {
		return nil, errors.Join(err, own.Close())
	}
	return own, nil
}

// takeUnix makes a socket that a former process has bound one of the endpoint, whose mode, owner and group its file gets
// once that process goes.
func takeUnix(e *Endpoint, l *unixListener) error {
	uid, gid, err := ids(e.Owner, e.Group)
	l.access = access{uid, gid, cmp.Or(e.Mode, DefaultMode)}
	return err
}

// access is who may connect.
type access struct {
	uid, gid int // -1: as it is
	mode     fs.FileMode
}

func (a access) grant(path string) error {
	if a.uid != -1 || a.gid != -1 {
		if err := os.Lchown(path, a.uid, a.gid); err != nil {
			return err
		}
	}
	return os.Chmod(path, a.mode)
}

// unixListener removes its file when it is closed, if it is still its own.
type unixListener struct {
	*net.UnixListener
	path string
	file fs.FileInfo
	keep atomic.Bool // another process has the socket, too, and its file

	access access // of the endpoint

	once sync.Once
	err  error // of the Close; after once
}

// Close removes the file and then closes the socket: as long as that is open, no other file can have the
// number that this one has.
func (l *unixListener) Close() error {
	l.once.Do(func() {
		if !l.keep.Load() {
			l.err = removeFile(l.path, l.file)
		}
		l.err = errors.Join(l.err, l.UnixListener.Close())
	})
	return l.err
}

// isOurs reports whether the file is still there.
func (l *unixListener) isOurs() bool {
	now, err := os.Lstat(l.path)
	return err == nil && same(now, l.file)
}

// makeRoom removes a socket on which nobody listens. Anything else that is in the way is an error.
func (s socketFile) makeRoom(ctx context.Context) error {
	file, err := os.Lstat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case file.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%w: it is %v", ErrNotSocket, file.Mode())
	}
	for again := range 2 {
		if again > 0 {
			if err := s.pause(ctx, probeAgain); err != nil {
				return err
			}
		}
		if stale, err := s.probe(ctx); !stale {
			return err
		}
	}
	return removeFile(s.path, file)
}

// probe reports whether nobody listens. There is no error if the socket has gone.
func (s socketFile) probe(ctx context.Context) (stale bool, err error) {
	dialer := net.Dialer{Timeout: probeTimeout}
	conn, err := dialer.DialContext(ctx, "unix", s.path)
	switch {
	case err == nil:
		conn.Close()
		return false, ErrInUse
	case errors.Is(err, syscall.ECONNREFUSED):
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case errors.Is(err, syscall.EAGAIN): // its backlog is full
		return false, ErrInUse
	}
	return false, fmt.Errorf("whether somebody listens on this socket is not to be found out: %w", err)
}

// removeFile removes the file at path if it is this one. One that has come there in between is put back.
func removeFile(path string, file fs.FileInfo) error {
	if now, err := os.Lstat(path); err != nil || !same(now, file) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	aside := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d", filepath.Base(path), os.Getpid()))
	if err := os.Rename(path, aside); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return settle(path, aside, file)
}

// settle removes the file that was moved aside from path, or moves it back, if it is another one.
func settle(path, aside string, file fs.FileInfo) error {
	moved, err := os.Lstat(aside)
	if err != nil {
		return err
	}
	if same(moved, file) {
		return os.Remove(aside)
	}
	if err := os.Link(aside, path); err != nil { // unlike Rename, it replaces nothing
		return fmt.Errorf("a socket that is not ours is now %s: %w", aside, err)
	}
	return os.Remove(aside)
}

// same reports whether a file is still the one that it was. The number of one that was removed may have been
// given to the next, whose time is another one then.
func same(now, then fs.FileInfo) bool {
	return os.SameFile(now, then) && now.ModTime().Equal(then.ModTime())
}

// ids looks an owner and a group up. -1 leaves it as it is.
func ids(owner, group string) (uid, gid int, err error) {
	uid, gid = -1, -1
	if owner != "" {
		if uid, err = strconv.Atoi(owner); err != nil {
			u, err := user.Lookup(owner)
			if err != nil {
				return 0, 0, err
			}
			uid, _ = strconv.Atoi(u.Uid)
		}
	}
	if group != "" {
		if gid, err = strconv.Atoi(group); err != nil {
			g, err := user.LookupGroup(group)
			if err != nil {
				return 0, 0, err
			}
			gid, _ = strconv.Atoi(g.Gid)
		}
	}
	if uid < -1 || gid < -1 || owner == "-1" || group == "-1" {
		return 0, 0, errors.New("an owner or a group is negative")
	}
	return uid, gid, nil
}

// pause waits for d, or until ctx is done.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
