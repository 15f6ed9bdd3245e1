package serialdaemon

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// errNotReady is a next process that said something else.
var errNotReady = errors.New("serialdaemon: the next process said something else than that it is ready")

// beginControl serves the control socket in the background. The channel is closed when the next process serves.
func (g *Group) beginControl(control net.Listener) (handed <-chan struct{}, end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if g.serveControl(ctx, control) {
			close(ready)
		}
	}()
	return ready, func() {
		cancel()
		<-done
	}
}

// serveControl hands the listeners over to a next process, one after the other, until one is ready: then it
// returns true. It returns false when ctx is done or the control socket is closed.
func (g *Group) serveControl(ctx context.Context, control net.Listener) bool {
	stop := context.AfterFunc(ctx, func() { setDeadline(control, time.Unix(1, 0)) })
	defer stop()
	var wait time.Duration
	for {
		conn, err := control.Accept()
		if err == nil {
			wait = 0
			err = g.handOver(ctx, conn.(*net.UnixConn))
			conn.Close()
			if err == nil {
				return true
			}
			g.log().Warn("nothing handed over", zap.Error(err))
			continue
		}
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return false
		}
		wait = min(max(2*wait, controlRetry), controlRetryMax)
		g.log().Warn("control socket cannot accept", zap.Error(err), zap.Duration("retry", wait))
		if pause(ctx, wait) != nil {
			return false
		}
	}
}

// The waits after an Accept of the control socket that failed: the system may be out of descriptors for the moment, and
// whatever else it is, without this socket no process could ever follow this one.
const (
	controlRetry    = 5 * time.Millisecond
	controlRetryMax = time.Second
)

// setDeadline interrupts an Accept.
func setDeadline(l net.Listener, t time.Time) {
	if d, ok := l.(interface{ SetDeadline(time.Time) error }); ok {
		_ = d.SetDeadline(t)
	}
}

// setDeadlineWithin gives the other process time to write what is read here, and to read what is written, and none if
// ctx has ended: that has set a deadline, too, which this one may have come after.
func setDeadlineWithin(ctx context.Context, conn *net.UnixConn, read, write time.Duration) {
	now := time.Now()
	conn.SetReadDeadline(now.Add(read))
	conn.SetWriteDeadline(now.Add(write))
	if ctx.Err() != nil {
		conn.SetDeadline(time.Unix(1, 0))
	}
}

// handOver sends the listeners and waits until the next process is ready. Until then this one serves as
// before, and goes on when that one dies. The files of unix sockets are not removed from when they are sent.
func (g *Group) handOver(ctx context.Context, conn *net.UnixConn) error {
	if err := g.checkPeer(conn); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	keys, all := g.owned()
	keepFiles(all, true)
	setDeadlineWithin(ctx, conn, g.handoverTimeout(), handoverReply)
	if err := send(conn, keys, all); err != nil {
		g.keepFiles(false)
		return err
	}
	reply := make([]byte, 1)
	_, err := io.ReadFull(conn, reply)
	switch {
	case ctx.Err() != nil: // the next one may have everything: its files are left to it
		return ctx.Err()
	case err == nil && reply[0] == sayReady:
		g.log().Info("listeners handed over", zap.Int("sockets", len(all)))
		setDeadlineWithin(ctx, conn, handoverReply, handoverReply)
		_, _ = conn.Write([]byte{sayGoing}) // if it is dead now, so is the service: nobody goes back
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded) && !g.hasMembers(): // this one stops in any case: the next may go on
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		setDeadlineWithin(ctx, conn, handoverReply, handoverReply)
		_, _ = conn.Write([]byte{sayTooLate})
	case err == nil:
		err = errNotReady
	}
	g.keepFiles(false)
	return err
}

func (g *Group) handoverTimeout() time.Duration {
	if g.patience > 0 {
		return g.patience
	}
	return HandoverTimeout
}

// owned are the listeners of everything that is served, below the layers of Wrap, with their endpoints'
// keys, and the control socket.
func (g *Group) owned() (keys []string, all []net.Listener) {
	for _, b := range g.allBound() {
		for _, l := range b.own {
			keys, all = append(keys, b.endpoint.key()), append(all, l)
		}
	}
	if control := g.control(); control != nil {
		keys, all = append(keys, controlKey), append(all, control)
	}
	return keys, all
}

// keepFiles sets whether the files of unix sockets are left when they are closed.
func (g *Group) keepFiles(keep bool) {
	_, all := g.owned()
	keepFiles(all, keep)
}

// grantAccess gives the files of the sockets that a former process has bound the mode, the owner and the group of their
// endpoints. Until now they were that process's.
func (g *Group) grantAccess(all []net.Listener) {
	for _, l := range all {
		if unix, ok := l.(*unixListener); ok && unix.access != (access{}) && unix.isOurs() {
			if err := unix.access.grant(unix.path); err != nil {
				g.log().Error("access of a unix socket is as it was", zap.String("path", unix.path), zap.Error(err))
			}
		}
	}
}

func keepFiles(all []net.Listener, keep bool) {
	for _, l := range all {
		if unix, ok := l.(*unixListener); ok {
			unix.keep.Store(keep)
		}
	}
}

// send sends those of the listeners that the system has.
func send(conn *net.UnixConn, keys []string, all []net.Listener) error {
	var manifest []handed
	var files []int
	defer func() {
		for _, fd := range files {
			closeFD(fd)
		}
	}()
	complete := false
	for i, l := range all {
		fd, err := duplicate(l)
		if errors.Is(err, errNoFile) || errors.Is(err, net.ErrClosed) { // or its server has stopped
			continue
		}
		if err != nil {
			return err
		}
		complete = complete || keys[i] == controlKey
		unix, own := l.(*unixListener)
		files = append(files, fd)
		manifest = append(manifest, handed{Key: keys[i], Own: own && unix.isOurs()})
	}
	if !complete {
		return errLeaving
	}
	text, err := json.Marshal(manifest)
	if err != nil {
		return err
	}
	if len(files) > maxHandover || len(text) > maxManifest {
		return fmt.Errorf("serialdaemon: %d listeners, of which %d can be handed over", len(files), maxHandover)
	}
	message := append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
	return sendFiles(conn, message, files)
}

// errLeaving is a process that has closed its control socket. The next one asks again, and finds nobody.
var errLeaving = errors.New("serialdaemon: this process stops")

// errNoFile is a listener that the system does not know, such as one in memory. The next process makes its own.
var errNoFile = errors.New("serialdaemon: not a listener of the system's")

// duplicate returns another descriptor of a listener.
func duplicate(l net.Listener) (int, error) {
	s, ok := l.(syscall.Conn)
	if !ok {
		return 0, errNoFile
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return 0, err
	}
	var copied int
	var failed error
	if err := raw.Control(func(fd uintptr) { copied, failed = duplicateFD(int(fd)) }); err != nil {
		return 0, err
	}
	return copied, failed
}
