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

// beginControl serves the control socket, if there is one, in the background. The channel is closed when the
// next process serves.
func (g *Group) beginControl() (handed <-chan struct{}, end func()) {
	control := g.control()
	if control == nil {
		return nil, func() {}
	}
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
// returns true. It returns false when ctx is done or the control socket fails.
func (g *Group) serveControl(ctx context.Context, control net.Listener) bool {
	stop := context.AfterFunc(ctx, func() { setDeadline(control, time.Unix(1, 0)) })
	defer stop()
	for {
		conn, err := control.Accept()
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
				g.log().Error("control socket failed", zap.Error(err))
			}
			return false
		}
		err = g.handOver(ctx, conn.(*net.UnixConn))
		conn.Close()
		if err == nil {
			return true
		}
		g.log().Warn("nothing handed over", zap.Error(err))
	}
}

// setDeadline interrupts an Accept.
func setDeadline(l net.Listener, t time.Time) {
	if d, ok := l.(interface{ SetDeadline(time.Time) error }); ok {
		_ = d.SetDeadline(t)
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
	sockets := g.keepFiles(true)
	if err := g.send(conn); err != nil {
		g.keepFiles(false)
		return err
	}
	reply := make([]byte, 1)
	conn.SetReadDeadline(time.Now().Add(g.handoverTimeout()))
	if ctx.Err() != nil { // the deadline may have come after the stop's
		return ctx.Err()
	}
	_, err := io.ReadFull(conn, reply)
	switch {
	case ctx.Err() != nil: // the next one may have everything: its files are left to it
		return ctx.Err()
	case err == nil && reply[0] == sayReady:
		g.log().Info("listeners handed over", zap.Int("sockets", sockets))
		_, _ = conn.Write([]byte{sayGoing}) // if it is dead now, so is the service: nobody goes back
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		conn.SetWriteDeadline(time.Now().Add(handoverReply))
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

// keepFiles sets whether the files of unix sockets are left when they are closed. It returns how many
// listeners there are.
func (g *Group) keepFiles(keep bool) int {
	_, all := g.owned()
	keepFiles(all, keep)
	return len(all)
}

// grantAccess gives the files of the sockets that a former process has bound the mode, the owner and the group of their
// endpoints. Until now they were that process's.
func (g *Group) grantAccess() {
	_, all := g.owned()
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

// send sends the listeners that the system has.
func (g *Group) send(conn *net.UnixConn) error {
	var manifest []handed
	var files []int
	defer func() {
		for _, fd := range files {
			closeFD(fd)
		}
	}()
	keys, all := g.owned()
	for i, l := range all {
		fd, err := duplicate(l)
		if errors.Is(err, errNoFile) {
			continue
		}
		if err != nil {
			return err
		}
		unix, own := l.(*unixListener)
		files = append(files, fd)
		manifest = append(manifest, handed{Key: keys[i], Own: own && unix.isOurs()})
	}
	text, err := json.Marshal(manifest)
	if err != nil {
		return err
	}
	if len(files) > maxHandover || len(text) > maxManifest {
		return fmt.Errorf("serialdaemon: %d listeners, of which %d can be handed over", len(files), maxHandover)
	}
	message := append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
	conn.SetWriteDeadline(time.Now().Add(handoverReply))
	return sendFiles(conn, message, files)
}

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
