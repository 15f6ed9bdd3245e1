package serialdaemon

import (
	"context"
	"errors"
	"io"
	"net"
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

// errRelative is a control socket that would be elsewhere for a process in another directory.
var errRelative = errors.New("serialdaemon: the control socket's path is not absolute")

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

	former    *net.UnixConn             // from whom the listeners came, until it knows that this process is ready
	inherited map[string][]net.Listener // that no endpoint has asked for
	open      chan struct{}             // closed when that process stops; nil if there is none
}

// alwaysOpen is closed: nobody waits for a former process.
var alwaysOpen = func() <-chan struct{} {
	open := make(chan struct{})
	close(open)
	return open
}()

// opening returns what is closed when this process may accept: the one that still does may go on, and nothing
// is lost if this one dies before.
func (g *Group) opening() <-chan struct{} {
	g.handing.Lock()
	defer g.handing.Unlock()
	if g.handover.open == nil {
		return alwaysOpen
	}
	return g.handover.open
}

// joinHandover makes the group one that hands over, and takes what there is to be taken. It does so once.
func (g *Group) joinHandover(ctx context.Context) error {
	if g.Handover == "" {
		return nil
	}
	g.handing.Lock()
	defer g.handing.Unlock()
	if g.handover.control != nil {
		return nil
	}
	h, err := g.takeOver(ctx)
	if err == nil && h == nil {
		h = &handover{}
		h.control, err = listenUnix(ctx, &Endpoint{Network: NetworkUnix, Address: g.Handover})
	}
	if err != nil {
		return &EndpointError{Endpoint: "handover " + g.Handover, Kind: ErrListen, Err: err}
	}
	g.handover = *h
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
// then on the files of unix sockets are this one's to remove, and what no endpoint has asked for is closed.
func (g *Group) confirm() error {
	g.handing.Lock()
	former, left, open := g.handover.former, g.handover.inherited, g.handover.open
	g.handover.former, g.handover.inherited = nil, nil
	g.handing.Unlock()
	if former == nil {
		return nil
	}
	defer former.Close()
	err := g.exchange(former)
	for _, all := range left {
		keepFiles(all, err != nil)
		if err := closeAll(all); err != nil {
			g.log().Warn("listener of no use", zap.Error(err))
		}
	}
	if err == nil {
		g.keepFiles(false)
		g.grantAccess()
		close(open)
	}
	return err
}

// exchange says ready. There is an error only if the former process says that it goes on.
func (g *Group) exchange(former *net.UnixConn) error {
	former.SetDeadline(time.Now().Add(handoverReply))
	reply := []byte{sayReady}
	_, err := former.Write(reply)
	if _, readErr := io.ReadFull(former, reply); readErr != nil {
		g.log().Warn("the former process does not answer", zap.Error(errors.Join(err, readErr)))
		return nil
	}
	if reply[0] != sayGoing {
		return ErrHandover
	}
	return nil
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
