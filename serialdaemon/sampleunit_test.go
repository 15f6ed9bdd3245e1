package serialdaemon_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
)

// unit reads a sample unit: the last value of each key.
func unit(t *testing.T, name string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("systemd", name))
	require.NoError(t, err)
	values := make(map[string]string)
	for line := range strings.Lines(string(content)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			values[key] = value
		}
	}
	return values
}

// The sample units agree with each other, and with what a daemon understands and does.
func TestSampleUnits(t *testing.T) {
	service, socket := unit(t, "example.service"), unit(t, "example.socket")
	require.Equal(t, fmt.Sprint(serialdaemon.ExitUsage), service["RestartPreventExitStatus"])
	require.Equal(t, fmt.Sprint(serialdaemon.ExitCut, serialdaemon.ExitAborted), service["SuccessExitStatus"])
	stop, err := time.ParseDuration(service["TimeoutStopSec"])
	require.NoError(t, err)
	require.Greater(t, stop, serialdaemon.HookTimeout+serialdaemon.DefaultDrainTimeout+cutGrace, "the daemon ends by itself")
	require.Contains(t, service["Requires"], "example.socket")

	args := strings.Fields(service["ExecStart"])[1:]
	file := filepath.Join(t.TempDir(), "example.yaml")
	put(t, file, nil)
	args[slices.Index(args, "-config")+1] = file
	c := serialdaemon.DefaultConfig()
	_, err = serialdaemon.Loader{Args: args, Environ: []string{}}.Load(&c)
	require.NoError(t, err)
	e := endpoints(t, c.Endpoints...)
	require.Len(t, e, 1)
	require.Equal(t, serialdaemon.NetworkSystemd, e[0].Network)
	require.Equal(t, socket["FileDescriptorName"], e[0].Address)
}
