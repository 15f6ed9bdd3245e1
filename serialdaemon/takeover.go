package serialdaemon

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// takeOver gets the listeners of the process that listens at the control socket. It returns nil if there is
// no such process. One that goes before it has sent anything, because it stops, is asked once more: somebody else may
// listen by then, or nobody.
func (g *Group) takeOver(ctx context.Context) (*handover, error) {
	h, err := g.tryTakeOver(ctx)
	if errors.Is(err, errGone) && ctx.Err() == nil {
		h, err = g.tryTakeOver(ctx)
	}
	return h, err
}

// errGone is a process that has closed the control socket and sent nothing.
var errGone = errors.New("serialdaemon: the former process has sent nothing")

func (g *Group) tryTakeOver(ctx context.Context) (*handover, error) {
	dialer := net.Dialer{Timeout: handoverReply}
	conn, err := dialer.DialContext(ctx, "unix", g.Handover)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	unix := conn.(*net.UnixConn)
	h := &handover{former: unix, inherited: make(map[string][]net.Listener), open: make(chan struct{})}
	err = g.checkPeer(unix)
	if err == nil {
		err = h.receive(ctx, unix)
	}
	if control := h.inherited[controlKey]; err == nil && len(control) == 1 {
		h.control = control[0]
		delete(h.inherited, controlKey)
	} else if err == nil {
		err = errors.New("serialdaemon: the former process sent no control socket")
	}
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	g.log().Info("listeners taken over", zap.String("control", g.Handover))
	return h, nil
}

// checkPeer refuses other users' processes.
func (g *Group) checkPeer(conn *net.UnixConn) error {
	uid, err := peerUID(conn)
	if err != nil {
		return err
	}
	if own := os.Geteuid() + g.strange; uid != own {
		return fmt.Errorf("%w: uid %d, and not %d", errOtherUser, uid, own)
	}
	return nil
}

// receive reads the manifest and the listeners.
func (h *handover) receive(ctx context.Context, conn *net.UnixConn) error {
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	setDeadlineWithin(ctx, conn, handoverReply, handoverReply)
	length, files, err := receiveFiles(conn)
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	if err != nil {
		if len(length) == 0 && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)) {
			return fmt.Errorf("%w: %w", errGone, err)
		}
		return err
	}
	size := binary.BigEndian.Uint32(length)
	if size > maxManifest {
		return fmt.Errorf("serialdaemon: a manifest of %d bytes, at most %d are read", size, maxManifest)
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(conn, text); err != nil {
		return err
	}
	var manifest []handed
	if err := json.Unmarshal(text, &manifest); err != nil {
		return err
	}
	if len(manifest) != len(files) {
		return fmt.Errorf("serialdaemon: %d listeners in the manifest, and %d files", len(manifest), len(files))
	}
	for i, m := range manifest {
		l, err := inherit(files[i], m)
		if err != nil {
			return err
		}
		h.inherited[m.Key] = append(h.inherited[m.Key], l)
	}
	return nil
}

// inherit makes a listener of a file.
func inherit(f *os.File, m handed) (net.Listener, error) {
	l, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	unix, ok := l.(*net.UnixListener)
	if !ok || !m.Own {
		return l, nil
	}
	path := unix.Addr().String()
	file, err := os.Lstat(path)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	own := &unixListener{UnixListener: unix, path: path, file: file}
	own.keep.Store(true) // until the former process goes
	return own, nil
}
