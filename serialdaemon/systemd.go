package serialdaemon

import (
	"context"
	"net"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

// What systemd is told. Where it does not listen nothing happens.
const (
	stateReady    = daemon.SdNotifyReady
	stateStopping = daemon.SdNotifyStopping
	stateDraining = "STATUS=drained by SIGUSR2"
	stateAlive    = daemon.SdNotifyWatchdog
)

// stateReloading is told before a reload, with the time, which Type=notify-reload wants.
func stateReloading() string {
	return daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec()
}

// system is how systemd is spoken to; nil fields mean the real way.
type system struct {
	notify   func(state string) error
	watchdog func() (time.Duration, error)
}

// tell tells systemd a state.
func (g *Group) tell(state string) {
	notify := g.system.notify
	if notify == nil {
		notify = notifySystemd
	}
	if err := notify(state); err != nil {
		g.log().Warn("cannot notify systemd", zap.String("state", state), zap.Error(err))
	}
}

// notifyTimeout is how long systemd may take to have room for a message. A stop waits for it.
const notifyTimeout = time.Second

// notifySystemd is sd_notify(3), but that a systemd that reads nothing is not waited for: what it has no room for in time
// it is not told, also not later.
func notifySystemd(state string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetWriteDeadline(time.Now().Add(notifyTimeout))
	_, err = conn.Write([]byte(state))
	return err
}

// tellInOrder tells systemd a state if that may be told, and reports whether. Nobody tells it another one between the
// question and the answer: so READY=1 is never told after STOPPING=1.
func (g *Group) tellInOrder(state string, may func() bool) bool {
	g.telling.Lock()
	defer g.telling.Unlock()
	if !may() {
		return false
	}
	g.tell(state)
	return true
}

// watchdogInterval is how often systemd wants a sign of life; 0: it does not.
func (g *Group) watchdogInterval() time.Duration {
	watchdog := g.system.watchdog
	if watchdog == nil {
		watchdog = func() (time.Duration, error) { return daemon.SdWatchdogEnabled(false) }
	}
	interval, err := watchdog()
	if err != nil {
		g.log().Warn("systemd's watchdog is set up wrongly", zap.Error(err))
	}
	return interval
}

// watchdog gives signs of life, twice in each interval, until ctx is done.
func (g *Group) watchdog(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval / 2)
	defer ticker.Stop()
	for ctx.Err() == nil {
		healthy := func(context.Context) error {
			if g.Healthy == nil {
				return nil
			}
			return g.Healthy()
		}
		if g.call(ctx, "health", healthy) == nil && ctx.Err() == nil {
			g.tell(stateAlive)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
