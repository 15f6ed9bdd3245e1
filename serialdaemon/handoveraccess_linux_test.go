package serialdaemon_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The file of a unix socket has the mode of the process that serves it, also where that has taken the socket over.
func TestHandoverChangesTheMode(t *testing.T) {
	for _, modes := range [][2]string{{"?mode=0666", "?mode=0600"}, {"?mode=0666", ""}, {"", "?mode=0660"}} {
		dir := t.TempDir()
		control, path := filepath.Join(dir, "control"), filepath.Join(dir, "s")
		first := generationOf(t, control, []string{"unix://" + path + modes[0]})
		next := generationOf(t, control, []string{"unix://" + path + modes[1]})
		require.NoError(t, <-first.ended)
		info, err := os.Stat(path)
		require.NoError(t, err)
		want := os.FileMode(0o600)
		if modes[1] == "?mode=0660" {
			want = 0o660
		}
		require.Equal(t, want, info.Mode().Perm())
		next.signals <- syscall.SIGTERM
		require.NoError(t, <-next.ended)
	}
}
