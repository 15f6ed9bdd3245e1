package serialdaemon_test

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
)

// bind binds one endpoint by its URL.
func bind(t *testing.T, rawURL string) (net.Listener, error) {
	t.Helper()
	e, err := serialdaemon.ParseEndpoint(rawURL)
	require.NoError(t, err)
	all, err := serialdaemon.Bind(context.Background(), nil, e)
	if err != nil {
		return nil, err
	}
	return all[0][0], nil
}

// unixPath returns a path for a socket.
func unixPath(t *testing.T) string { return filepath.Join(t.TempDir(), "s") }

// connects reports whether somebody listens.
func connects(path string) bool {
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// stale leaves the socket of a daemon that has died.
func stale(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
	require.FileExists(t, path)
}

// onlyFile requires that there is nothing beside a file.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.Equal(t, filepath.Base(path), files[0].Name())
}

func TestUnixSocketsFile(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	for query, want := range map[string]fs.FileMode{
		"":           serialdaemon.DefaultMode,
		"?mode=0666": 0o666,
		"?mode=620":  0o620,
		fmt.Sprintf("?mode=0660&owner=%d&group=%d", os.Getuid(), os.Getgid()): 0o660,
	} {
		path := unixPath(t)
		l, err := bind(t, "unix://"+path+query)
		require.NoError(t, err)
		file, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, fs.ModeSocket|want, file.Mode(), query)
		require.True(t, connects(path))
		require.NoError(t, l.Close())
		require.NoFileExists(t, path)
		require.NoError(t, l.Close(), "again")
	}
}

func TestUnixSocketsOwner(t *testing.T) {
	path := unixPath(t)
	for query, says := range map[string]string{
		"owner=no-such-user":  "unknown user",
		"group=no-such-group": "unknown group",
		"owner=-1":            "negative",
		"group=-2":            "negative",
	} {
		_, err := bind(t, "unix://"+path+"?"+query)
		require.ErrorContains(t, err, says)
		require.ErrorIs(t, err, serialdaemon.ErrListen)
		require.NoFileExists(t, path)
	}
	if os.Getuid() != 0 {
		_, err := bind(t, "unix://"+path+"?owner=0")
		require.ErrorIs(t, err, fs.ErrPermission)
		require.NoFileExists(t, path, "what cannot be as it should is not left behind")
		return
	}
	l, err := bind(t, "unix://"+path+"?owner=12&group=34")
	require.NoError(t, err)
	defer l.Close()
	file, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, uint32(12), file.Sys().(*syscall.Stat_t).Uid)
	require.Equal(t, uint32(34), file.Sys().(*syscall.Stat_t).Gid)
}

func TestStaleUnixSocket(t *testing.T) {
	path := unixPath(t)
	stale(t, path)
	l, err := bind(t, "unix://"+path)
	require.NoError(t, err)
	require.True(t, connects(path))
	onlyFile(t, path)
	require.NoError(t, l.Close())
}

// What is in use, or no socket, stays.
func TestUnixSocketInTheWay(t *testing.T) {
	path := unixPath(t)
	first, err := bind(t, "unix://"+path)
	require.NoError(t, err)
	_, err = bind(t, "unix://"+path)
	require.ErrorIs(t, err, serialdaemon.ErrInUse)
	require.ErrorIs(t, err, serialdaemon.ErrListen)
	require.ErrorContains(t, err, "unix://"+path)
	require.True(t, connects(path))
	require.NoError(t, first.Close())

	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
	_, err = bind(t, "unix://"+path)
	require.ErrorIs(t, err, serialdaemon.ErrNotSocket)
	require.FileExists(t, path)
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Symlink("elsewhere", path))
	_, err = bind(t, "unix://"+path)
	require.ErrorIs(t, err, serialdaemon.ErrNotSocket, "nor is a link followed")
	_, err = bind(t, "unix://"+path+"/x/y")
	require.ErrorIs(t, err, serialdaemon.ErrListen, "there is no such directory")
}

// A socket of another kind cannot be asked whether somebody listens, so it stays.
func TestDatagramSocketInTheWay(t *testing.T) {
	path := unixPath(t)
	other, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	defer other.Close()
	_, err = bind(t, "unix://"+path)
	require.ErrorIs(t, err, syscall.EPROTOTYPE)
	require.FileExists(t, path)
}

// Who has bound a socket and not begun to listen looks stale for a moment.
func TestUnixSocketThatIsJustBeingBound(t *testing.T) {
	path := unixPath(t)
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	defer syscall.Close(fd)
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}))
	pauses := 0
	err = serialdaemon.MakeRoom(context.Background(), path, func(context.Context, time.Duration) error {
		pauses++
		return syscall.Listen(fd, 1)
	})
	require.ErrorIs(t, err, serialdaemon.ErrInUse)
	require.Equal(t, 1, pauses)
	require.FileExists(t, path)
}

// Another daemon may find the same stale socket, remove it and bind its own before we remove it.
func TestStaleUnixSocketThatAnotherReplaces(t *testing.T) {
	path := unixPath(t)
	stale(t, path)
	found, err := os.Lstat(path)
	require.NoError(t, err)
	other, err := bind(t, "unix://"+path)
	require.NoError(t, err)
	defer other.Close()
	blocked := filepath.Join(filepath.Dir(path), fmt.Sprintf(".s.%d", os.Getpid()))
	require.NoError(t, os.Mkdir(blocked, 0o700))
	require.NoError(t, serialdaemon.RemoveFile(path, found), "the other's is not even moved, which could not be done")
	require.NoError(t, os.Remove(blocked))
	require.True(t, connects(path), "the other's is not removed")

	aside := path + ".aside" // nor if it comes at the last moment
	require.NoError(t, os.Rename(path, aside))
	require.NoError(t, serialdaemon.Settle(path, aside, found))
	require.True(t, connects(path))
	onlyFile(t, path)
}

// The end of a daemon whose socket somebody has replaced leaves the replacement.
func TestUnixSocketIsRemovedIfItIsOurs(t *testing.T) {
	path := unixPath(t)
	first, err := bind(t, "unix://"+path)
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	second, err := bind(t, "unix://"+path)
	require.NoError(t, err)
	require.NoError(t, first.Close())
	require.True(t, connects(path))
	require.NoError(t, os.Remove(path))
	require.NoError(t, second.Close(), "nothing to remove")
}

// A file that was given the number of one that was removed has another time.
func TestSameFile(t *testing.T) {
	path := unixPath(t)
	stale(t, path)
	before, err := os.Lstat(path)
	require.NoError(t, err)
	require.True(t, serialdaemon.Same(before, before))
	require.NoError(t, os.Chtimes(path, time.Unix(1, 0), time.Unix(1, 0)))
	after, err := os.Lstat(path)
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after))
	require.False(t, serialdaemon.Same(before, after))
}

func TestMakeRoomIsGivenUp(t *testing.T) {
	path := unixPath(t)
	stale(t, path)
	ctx, cancel := context.WithCancelCause(context.Background())
	err := serialdaemon.MakeRoom(ctx, path, func(ctx context.Context, _ time.Duration) error {
		cancel(errBroken)
		return context.Cause(ctx)
	})
	require.Equal(t, errBroken, err)
	require.FileExists(t, path)
}
