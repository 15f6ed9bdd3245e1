package serialtest

import (
	"errors"
	"io"
	"net"
	"slices"
	"time"
)

// proxyWay is one direction of a link. Its run alone touches what is behind the connections.
type proxyWay struct {
	link     *link
	from, to net.Conn
	in, out  net.Conn // the queue: receive writes to in, run reads from out

	finished chan struct{} // closed at the end of run

	follow follower
	faults []*ProxyFault // those that have not happened here
	drip   *ProxyFault   // from when it has begun
	mask   byte          // of the next byte, 0 if it stays as it is
	twice  bool          // the next byte is passed on twice
}

// errWayEnded: a fault has ended the direction or the link.
var errWayEnded = errors.New("serialtest: direction ended by a fault")

func newProxyWay(l *link, from, to net.Conn, response bool, faults []*ProxyFault) *proxyWay {
	in, out := Pipe(Buffer(proxyQueue), ResetOnUnread(false))
	w := &proxyWay{
		link: l, from: from, to: to, in: in, out: out,
		finished: make(chan struct{}), follow: follower{response: response},
	}
	for _, f := range faults {
		if f.place.response == response {
			w.faults = append(w.faults, f)
		}
	}
	return w
}

func (w *proxyWay) closeQueue() {
	_ = w.in.Close()
	_ = w.out.Close()
}

// run passes on what comes, to the end, and then the end.
func (w *proxyWay) run(other *proxyWay) {
	defer close(w.finished)
	switch err := w.passAll(); err {
	case io.EOF:
		w.closeWrite()
	case errWayEnded: // the sender goes on, and what it sends arrives nowhere
		_, _ = io.Copy(io.Discard, onlyReader{w.out})
	default:
		w.refuse(other)
	}
}

// passAll passes on what comes and returns why it stopped: io.EOF, errWayEnded, or that the receiver
// takes no more.
func (w *proxyWay) passAll() error {
	buf := make([]byte, 16<<10)
	for {
		n, err := w.out.Read(buf)
		if n > 0 {
			if err := w.pass(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

// refuse does what the system of a receiver does that is gone: it resets the sender, here once all that the receiver
// had sent was passed on.
func (w *proxyWay) refuse(other *proxyWay) {
	select {
	case <-other.finished:
	case <-w.link.done:
	}
	w.link.end(true)
}

// closeWrite passes the end of the sender on. A connection that cannot be half closed is closed.
func (w *proxyWay) closeWrite() {
	if half, ok := w.to.(closeWriter); ok {
		_ = half.CloseWrite()
		return
	}
	_ = w.to.Close()
}

// pass passes b on, and makes happen what is due meanwhile.
func (w *proxyWay) pass(b []byte) error {
	for len(b) > 0 {
		if err := w.happenAt(); err != nil {
			return err
		}
		n := w.untilNext(b)
		if err := w.write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
		if err := w.happen(); err != nil {
			return err
		}
	}
	return nil
}

// untilNext follows b up to the next fault and returns how many bytes that are, 1 at least.
func (w *proxyWay) untilNext(b []byte) int {
	if len(w.faults) == 0 && w.mask == 0 && !w.twice {
		return len(b)
	}
	for i, c := range b {
		w.follow.step(c)
		if w.mask != 0 || w.twice || slices.ContainsFunc(w.faults, w.due) {
			return i + 1
		}
	}
	return len(b)
}

func (w *proxyWay) due(f *ProxyFault) bool { return f.place.reached(&w.follow) }

// happen makes the faults happen that are due whatever comes next.
func (w *proxyWay) happen() error {
	return w.fire(func(f *ProxyFault) bool { return f.place.by == afterMessage })
}

// happenAt makes those happen that are due when there is a next byte.
func (w *proxyWay) happenAt() error {
	return w.fire(func(f *ProxyFault) bool { return f.place.by != afterMessage })
}

func (w *proxyWay) fire(when func(*ProxyFault) bool) error {
	for _, f := range slices.Clone(w.faults) {
		if !w.due(f) || !when(f) {
			continue
		}
		w.faults = slices.DeleteFunc(w.faults, func(g *ProxyFault) bool { return g == f })
		if err := w.act(f); err != nil {
			return err
		}
	}
	return nil
}

// act does what f does.
func (w *proxyWay) act(f *ProxyFault) error {
	if f.act == proxyDrip {
		w.drip = f
		return nil
	}
	f.fired.Add(1)
	switch f.act {
	case proxyHalfClose:
		w.closeWrite()
		return errWayEnded
	case proxyClose, proxyReset:
		w.link.end(f.act == proxyReset)
		return errWayEnded
	case proxyStall:
		return w.stall(f)
	case proxyDelay:
		return w.wait(f.pause)
	case proxyDuplicate:
		w.twice = true
	case proxyCorrupt:
		w.mask ^= f.mask
	}
	return nil
}

// stall waits for the release of f, or the end of the link.
func (w *proxyWay) stall(f *ProxyFault) error {
	select {
	case <-f.released:
		return nil
	case <-w.link.ended: // also when the link is over
		w.link.end(false)
		return errWayEnded
	}
}

// wait lets d pass, unless the link ends first.
func (w *proxyWay) wait(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-w.link.done:
		return errWayEnded
	}
}

// write passes b on as the faults that have happened want it.
func (w *proxyWay) write(b []byte) error {
	if w.mask != 0 || w.twice {
		b = w.changed(b)
	}
	if w.drip == nil {
		_, err := w.to.Write(b)
		return err
	}
	for i := range b {
		if err := w.wait(w.drip.pause); err != nil {
			return err
		}
		if _, err := w.to.Write(b[i : i+1]); err != nil {
			return err
		}
		w.drip.fired.Add(1)
	}
	return nil
}

// changed is b, of which the first byte is to be changed.
func (w *proxyWay) changed(b []byte) []byte {
	out := append([]byte{b[0] ^ w.mask}, b[1:]...)
	if w.twice {
		out = append(out[:1:1], out...)
	}
	w.mask, w.twice = 0, false
	return out
}
