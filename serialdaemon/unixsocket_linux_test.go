package serialdaemon_test

import (
	"context"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
)

// Whatever the umask, nobody else can connect before the file has the mode that it is to have.
func TestUnixSocketIsBoundPrivately(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	path := unixPath(t)
	config := net.ListenConfig{Control: serialdaemon.BindPrivately}
	l, err := config.Listen(context.Background(), "unix", path)
	require.NoError(t, err)
	defer l.Close()
	file, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.ModeSocket|0o600, file.Mode())
}
