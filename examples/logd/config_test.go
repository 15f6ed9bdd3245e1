package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/service"
	"github.com/serialkit/serialkit/examples/logd/store"
)

// Each value that can be configured reaches what it is for.
func TestWhatIsConfiguredIsUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "logd.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`
data: x
drain: 1s
delay: 2s
timeout: {wait: 3s, read: 4s, write: 5s}
retention: {age: 6d, size: 7KiB}
seal: {size: 8KiB, age: 9s}
min-free: 10KiB
accept: {age: 11d, ahead: 12d}
limit: {waiting: 13KiB, queries: 14, query-time: 15s, query-bytes: 16KiB, tails: 17, producers: 18}
accept-loss: true
`), 0o600))
	c := defaultConfig()
	l := loader([]string{"-config", file}, io.Discard)
	l.Environ = []string{}
	_, err := l.Load(&c)
	require.NoError(t, err)
	require.Equal(t, store.Options{
		KeepAge: 6 * day, KeepBytes: 7 << 10, SealBytes: 8 << 10, SealAge: 9 * time.Second, MinFree: 10 << 10,
		MaxRecordAge: 11 * day, MaxRecordAhead: 12 * day, QueueBytes: 13 << 10, QueryTime: 15 * time.Second, QueryBytes: 16 << 10,
		MaxProducers: 18, AcceptLoss: true,
	}, c.store())
	require.Equal(t, service.Options{Queries: 14, Tails: 17}, c.service())
	d := c.Config
	require.Equal(t, []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second, 5 * time.Second},
		[]time.Duration{d.Drain, d.Delay, d.Timeout.Wait, d.Timeout.Read, d.Timeout.Write})
}

func TestSealingCannotBeSwitchedOff(t *testing.T) {
	for _, args := range [][]string{{"-seal.size", "0"}, {"-seal.age", "0s"}, {"-seal.age", "-1s"}} {
		exit, _, errs := runHere(t, "", append([]string{"serve", "-data", filepath.Join(t.TempDir(), "none")}, args...)...)
		require.Equal(t, exitUsage, exit, args)
		require.Contains(t, errs, "seal:")
	}
}
