package serialdaemon_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
)

var errBroken = errors.New("broken")

// endpoints reads URLs.
func endpoints(t *testing.T, rawURLs ...string) []*serialdaemon.Endpoint {
	t.Helper()
	all, err := serialdaemon.ParseEndpoints(rawURLs...)
	require.NoError(t, err)
	return all
}

// If one endpoint cannot be bound none is, and every failure is told.
func TestBindAllOrNone(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	path := unixPath(t)
	given, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	all := endpoints(t, "unix://"+path, "tcp://"+taken.Addr().String(), "unix:///no/such/place", "tcp://127.0.0.1:0")
	all[3].Listener = given
	_, err = serialdaemon.Bind(context.Background(), nil, all...)
	require.ErrorContains(t, err, "serialdaemon: tcp://"+taken.Addr().String()+": ")
	require.ErrorContains(t, err, "serialdaemon: unix:///no/such/place: ")
	require.ErrorIs(t, err, serialdaemon.ErrListen)
	require.NoFileExists(t, path)
	_, err = given.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestBindChecks(t *testing.T) {
	own, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	for says, e := range map[string]*serialdaemon.Endpoint{
		`unknown network "tpc", did you mean "tcp"?`: {Network: "tpc"},
		"more than permission bits":                  {Network: "unix", Address: "/x", Mode: fs.ModeSetuid | 0o600},
		"no such file":                               {Network: "tcp", Listener: own, TLS: &serialdaemon.TLSFiles{Cert: "/no/such", Key: "/no/such"}},
	} {
		_, err := serialdaemon.Bind(context.Background(), nil, e)
		require.ErrorContains(t, err, says)
	}
	_, err = own.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
}

// What is bound may still be refused, for its address: nothing of it stays.
func TestCheck(t *testing.T) {
	path := unixPath(t)
	given, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	one, oneAddr := passed(t, "web")
	two, twoAddr := passed(t, "web")
	all := endpoints(t, "unix://"+path, "tcp://127.0.0.1:0", "systemd:web")
	all[1].Listener = given
	var asked []string
	var broken error
	for _, e := range all {
		e.Check = func(addr net.Addr) error {
			asked = append(asked, addr.String())
			return broken
		}
		e.Wrap = func(net.Listener) net.Listener {
			require.NoError(t, broken, "nothing is made of what is refused")
			return given
		}
	}
	broken = errBroken
	_, err = serialdaemon.Bind(context.Background(), []*os.File{one, two}, all...)
	require.Equal(t, []string{path, given.Addr().String(), oneAddr.String(), twoAddr.String()}, asked)
	require.ErrorIs(t, err, errBroken)
	require.ErrorIs(t, err, serialdaemon.ErrListen)
	require.ErrorContains(t, err, "serialdaemon: unix://"+path+": broken\n")
	require.NoFileExists(t, path)
	_, err = given.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	for _, addr := range []net.Addr{oneAddr, twoAddr} {
		_, err = net.Dial("tcp", addr.String())
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	}
	broken = nil
	bound, err := serialdaemon.Bind(context.Background(), nil, all[0])
	require.NoError(t, err)
	require.Equal(t, given, bound[0][0], "what Wrap has made")
	require.FileExists(t, path)
	require.NoError(t, os.Remove(path))
}

func TestWrap(t *testing.T) {
	e := endpoints(t, "tcp://127.0.0.1:0")[0]
	type wrapped struct{ net.Listener }
	e.Wrap = func(l net.Listener) net.Listener { return wrapped{l} }
	all, err := serialdaemon.Bind(context.Background(), nil, e)
	require.NoError(t, err)
	require.IsType(t, wrapped{}, all[0][0])
	require.NoError(t, all[0][0].Close())
}

// passed is a socket as systemd passes it.
func passed(t *testing.T, name string) (*os.File, net.Addr) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	require.NoError(t, err)
	fd, err := syscall.Dup(int(f.Fd()))
	require.NoError(t, err)
	own := os.NewFile(uintptr(fd), name)
	require.NoError(t, f.Close())
	return own, l.Addr()
}

func TestSystemdSockets(t *testing.T) {
	one, oneAddr := passed(t, "web")
	two, twoAddr := passed(t, "web") // a socket unit with two addresses
	three, threeAddr := passed(t, "admin")
	files := []*os.File{one, three, two}
	all, err := serialdaemon.Bind(context.Background(), files, endpoints(t, "systemd:web", "systemd:admin")...)
	require.NoError(t, err)
	require.Len(t, all[0], 2)
	require.Equal(t, oneAddr, all[0][0].Addr())
	require.Equal(t, twoAddr, all[0][1].Addr())
	require.Equal(t, threeAddr, all[1][0].Addr())
	for _, l := range append(all[0], all[1]...) {
		require.NoError(t, l.Close())
	}
	for _, f := range files {
		require.ErrorIs(t, f.Close(), os.ErrClosed, "the listeners have their own")
	}
}

func TestSystemdSocketsThatAreNot(t *testing.T) {
	_, err := serialdaemon.Bind(context.Background(), nil, endpoints(t, "systemd:web")...)
	require.ErrorContains(t, err, "systemd:web: systemd has passed no sockets")
	f, _ := passed(t, "web")
	_, err = serialdaemon.Bind(context.Background(), []*os.File{f}, endpoints(t, "systemd:wbe", "systemd:web", "systemd:web")...)
	require.ErrorContains(t, err, `systemd:wbe: unknown socket "wbe", did you mean "web"?`)
	require.ErrorContains(t, err, "systemd:web: socket web is another endpoint's already")
	plain, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	_, err = serialdaemon.Bind(context.Background(), []*os.File{plain}, &serialdaemon.Endpoint{Network: "systemd", Address: plain.Name()})
	require.ErrorIs(t, err, serialdaemon.ErrListen, "no socket at all")
}
