package main

import (
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestOnCore(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	affinity := func() (set unix.CPUSet) {
		require.NoError(t, unix.SchedGetaffinity(0, &set))
		return set
	}
	core, err := lastCore()
	require.NoError(t, err)
	before := affinity()
	require.NoError(t, onCore(core, func() error {
		set := affinity()
		require.Equal(t, 1, set.Count())
		require.True(t, set.IsSet(core))
		return nil
	}))
	require.Equal(t, before, affinity())
}

func TestCPUTimeAndMemoryOfAProcess(t *testing.T) {
	before, err := cpuTime(os.Getpid())
	require.NoError(t, err)
	require.Positive(t, before)
	for range 100 {
		runtime.GC()
	}
	after, err := cpuTime(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, after, before)
	bytes, err := resident(os.Getpid())
	require.NoError(t, err)
	require.Positive(t, bytes)
}

func TestRaiseFileLimit(t *testing.T) {
	conns, err := raiseFileLimit()
	require.NoError(t, err)
	require.Positive(t, conns)
	b := &bench{run: new(run), log: os.Stderr}
	lowered, err := b.affordable(conns + 1)
	require.NoError(t, err)
	require.Equal(t, conns, lowered)
	require.Len(t, b.run.Notes, 1)
}
