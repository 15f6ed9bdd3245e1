package serialdaemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"time"

	"go.uber.org/zap"
)

// The times and limits of a handover.
const (
	// HandoverTimeout is how long the next process may take from when it has got the listeners until it is
	// ready. Then the former one goes on, and the next one stops.
	HandoverTimeout = time.Minute
	// handoverReply is how long the other side's next message may take otherwise.
	handoverReply = 10 * time.Second
	// maxHandover is how many listeners are handed over, the control socket included: as many files as the
	// system lets one message have.
	maxHandover = 253
	// maxManifest bounds the list of these, in bytes.
	maxManifest = 64 << 10
)

// What the processes say to each other, after the former one has sent its listeners: the length of a manifest,
// big-endian in 4 bytes and with the files, and the manifest in JSON.
const (
	sayReady   = 'R' // the next one serves
	sayGoing   = 'A' // the former one stops, because of that
	sayTooLate = 'N' // it does not: it has waited for too long
)

// ErrHandover is a next process that was too late, see HandoverTimeout.
var ErrHandover = errors.New("serialdaemon: the former process goes on: this one was ready too late")

// errOtherUser is a control socket at whose other end is another user's process.
var errOtherUser = errors.New("serialdaemon: the process at the control socket is another user's")

// errRelative is a control socket that would be elsewhere for a process in another directory, and errLong one whose path
// the system does not take.
var (
	errRelative = errors.New("serialdaemon: the control socket's path is not absolute")
	errLong     = fmt.Errorf("serialdaemon: the control socket's path has more than %d bytes", maxUnixPath)
)

// handed is a listener in a manifest.
type handed struct {
	// Key is the endpoint's network and address, or controlKey.
	Key string `json:"key"`
	// Own is whether the file of a unix socket was still its own.
	Own bool `json:"own,omitempty"`
}

// controlKey is that of the control socket.
const controlKey = "control"

// key is what an endpoint's listeners are found by in the next process: TLS and the like may be others there.
func (e *Endpoint) key() string { return e.Network + ":" + e.Address }

// handover is a group's side of handovers: from a former process, and to the next one.
type handover struct {
	control net.Listener // nil: there is none, or it is closed

	former    *net.UnixConn             // from whom the listeners came, until it has been told that this process is ready
	inherited map[string][]net.Listener // that no endpoint has asked for
	open      chan struct{}             // closed when that process stops; nil if there is none
}

// alwaysOpen is closed: nobody waits for a former process.
var alwaysOpen = func() <-chan struct{} {
	open := make(chan struct{})
	close(open)
	return open
}()

// joinHandover makes the group one that hands over, and takes what there is to be taken. It does so once. The begin of
// a stop ends it.
func (g *Group) joinHandover(ctx context.Context, now *life) error {
	if g.Handover == "" {
		return nil
	}
	if err := g.checkHandover(); err != nil {
		return &EndpointError{Endpoint: "handover " + g.Handover, Kind: ErrUsage, Err: err}
	}
	g.joins.Lock()
	defer g.joins.Unlock()
	if g.control() != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(now.ctx, cancel)()
	h, err := g.takeOver(ctx)
	if err == nil && h == nil {
		h = &handover{}
		h.control, err = listenUnix(ctx, &Endpoint{Network: NetworkUnix, Address: g.Handover})
	}
	switch {
	case err != nil && now.ctx.Err() != nil:
		return ErrStopping
	case err != nil:
		return &EndpointError{Endpoint: "handover " + g.Handover, Kind: ErrListen, Err: err}
	}
	g.handing.Lock()
	defer g.handing.Unlock()
	g.handover = *h
	return nil
}

func (g *Group) checkHandover() error {
	switch {
	case !filepath.IsAbs(g.Handover):
		return errRelative
	case len(g.Handover) > maxUnixPath:
		return errLong
	}
	return nil
}

// inherited returns the listeners that the former process had for an endpoint, and has no further use of.
func (g *Group) inherited(e *Endpoint) []net.Listener {
	g.handing.Lock()
	defer g.handing.Unlock()
	all := g.handover.inherited[e.key()]
	if len(all) == 0 {
		return nil
	}
	if e.Network == NetworkSystemd { // of which one endpoint has all
		delete(g.handover.inherited, e.key())
		return all
	}
	g.handover.inherited[e.key()] = all[1:]
	return all[:1]
}

// confirm tells the former process that this one serves. Where that process has died it is not waited for. From
// then on the files of unix sockets are this one's to remove, and what no endpoint has asked for is closed. A stop ends
// the connection to that process, and with it this, and leaves the files alone: who serves now is not known.
func (g *Group) confirm() error {
	former, left := g.beginConfirm()
	if former == nil {
		return nil
	}
	defer former.Close()
	answer, silence := exchange(former)
	goesOn := silence == nil && answer != sayGoing
	open, own, stopped := g.endConfirm(former, goesOn)
	for _, all := range left {
		keepFiles(all, goesOn || stopped)
		if err := closeAll(all); err != nil {
			g.log().Warn("listener of no use", zap.Error(err))
		}
	}
	switch {
	case stopped:
		return nil
	case goesOn:
		return ErrHandover
	case silence != nil:
		g.log().Warn("the former process does not answer", zap.Error(silence))
	}
	g.grantAccess(own)
	close(open)
	return nil
}

// beginConfirm returns the former process, nil if there is none, and what no endpoint has asked for.
func (g *Group) beginConfirm() (*net.UnixConn, map[string][]net.Listener) {
	g.handing.Lock()
	defer g.handing.Unlock()
	if g.handover.former == nil || !g.hasMembers() {
		return nil, nil
	}
	left := g.handover.inherited
	g.handover.inherited = nil
	return g.handover.former, left
}

// hasMembers reports whether something was started, and no stop goes on.
func (g *Group) hasMembers() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stop == nil && len(g.members) > 0
}

// endConfirm notes that the former process has been told. It returns what is to be closed when this one may accept, and
// its listeners, whose files it removes from now on unless the former one goes on. It reports whether a stop was faster.
func (g *Group) endConfirm(former *net.UnixConn, goesOn bool) (open chan struct{}, own []net.Listener, stopped bool) {
	g.handing.Lock()
	defer g.handing.Unlock()
	if g.handover.former != former {
		return nil, nil, true
	}
	g.handover.former = nil
	own = []net.Listener{g.handover.control}
	for _, b := range g.allBound() {
		own = append(own, b.own...)
	}
	if !goesOn {
		keepFiles(own, false)
	}
	return g.handover.open, own, false
}

// exchange says ready, and returns what the former process answers.
func exchange(former *net.UnixConn) (answer byte, silence error) {
	former.SetDeadline(time.Now().Add(handoverReply))
	reply := []byte{sayReady}
	_, err := former.Write(reply)
	if _, readErr := io.ReadFull(former, reply); readErr != nil {
		return 0, errors.Join(err, readErr)
	}
	return reply[0], nil
}

// leaveHandover ends the group's part in handovers, with its control socket.
func (g *Group) leaveHandover() {
	g.handing.Lock()
	defer g.handing.Unlock()
	if err := g.handover.close(); err != nil {
		g.log().Warn("control socket", zap.Error(err))
	}
	g.handover = handover{}
}

// close closes everything.
func (h *handover) close() error {
	var errs []error
	if h.control != nil {
		errs = append(errs, h.control.Close())
	}
	if h.former != nil {
		errs = append(errs, h.former.Close())
	}
	for _, all := range h.inherited {
		errs = append(errs, closeAll(all))
	}
	return errors.Join(errs...)
}

// control is the control socket, nil if the group hands nothing over.
func (g *Group) control() net.Listener {
	g.handing.Lock()
	defer g.handing.Unlock()
	return g.handover.control
}
