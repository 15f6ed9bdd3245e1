package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialdaemon"
)

// What was acknowledged is there after a stop and a start.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	c := serving(t, dir)
	p := newProducer(c.dial(), 0)
	answer, err := p.send(t.Context(), encoded(said("one"), said("two")), 2)
	require.NoError(t, err)
	require.Equal(t, logwire.AppendAnswer{Stored: true, Mark: 1, FirstID: 1}, answer)
	ids, end := c.find(t.Context(), logwire.QueryRequest{Text: "two"})
	require.Equal(t, []uint64{2}, ids)
	require.Equal(t, "end", end.Reason)
	require.Equal(t, serialdaemon.ExitOK, c.stop())

	c = serving(t, dir)
	p.client = c.dial()
	p.head.Sequence = 0
	answer, err = p.send(t.Context(), encoded(said("one"), said("two")), 2)
	require.NoError(t, err)
	require.Equal(t, logwire.AppendAnswer{Mark: 1}, answer, "it had been stored")
	ids, _ = c.find(t.Context(), logwire.QueryRequest{})
	require.Equal(t, []uint64{1, 2}, ids)
	require.EqualValues(t, 3, c.stats().NextID)
	require.Equal(t, serialdaemon.ExitOK, c.stop())
}

// What is wrong with how it was started is said, with the exit code that is documented.
func TestServeRefuses(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	held := t.TempDir()
	serving(t, held)
	for name, test := range map[string]struct {
		args []string
		exit int
		says string
	}{
		"no command":       {nil, exitUsage, "usage:"},
		"unknown command":  {[]string{"sevre"}, exitUsage, "sevre"},
		"no directory":     {[]string{"serve"}, exitUsage, "data:"},
		"unknown flag":     {[]string{"serve", "-data", "x", "-retention.aeg", "3d"}, exitUsage, "retention.age"},
		"bad size":         {[]string{"serve", "-data", "x", "-min-free", "1.5G"}, exitUsage, "512MiB"},
		"all interfaces":   {[]string{"serve", "-data", "x", "-listen", "tcp://:7600"}, exitUsage, "-insecure"},
		"another address":  {[]string{"serve", "-data", "x", "-listen", "tcp://192.0.2.1:7600"}, exitUsage, "-insecure"},
		"nowhere":          {[]string{"serve", "-data", "x", "-listen", ""}, exitUsage, "listen:"},
		"bad URL":          {[]string{"serve", "-data", "x", "-listen", "tpc://127.0.0.1:7600"}, exitUsage, "tcp"},
		"address in use":   {[]string{"serve", "-data", t.TempDir(), "-listen", "tcp://" + busy.Addr().String()}, serialdaemon.ExitListen, "in use"},
		"directory in use": {[]string{"serve", "-data", held, "-listen", "tcp://127.0.0.1:0"}, exitOpen, "in use"},
		"help":             {[]string{"serve", "-h"}, exitOK, ""},
		"configuration":    {[]string{"serve", "-data", "x", "-print-config"}, exitOK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			exit, _, stderr := runToEnd(t, test.args...)
			require.Equal(t, test.exit, exit, stderr)
			require.Contains(t, stderr, test.says)
		})
	}
}

func TestWhoMayListen(t *testing.T) {
	for url, want := range map[string]bool{
		"tcp://127.0.0.1:7600": true, "tcp://[::1]:7600": true, "tcp://localhost:7600": true, "tcp://127.9.9.9:1": true,
		"unix:///run/logd.sock": true, "tls://:7600?cert=a&key=b": true, "systemd:logd": true,
		"tcp://:7600": false, "tcp://0.0.0.0:7600": false, "tcp://10.0.0.1:7600": false, "tcp://logs.example:7600": false, "tcp://[::]:1": false,
	} {
		c := defaultConfig()
		c.Data, c.Endpoints = "x", []string{url}
		require.Equal(t, want, c.Validate() == nil, url)
		c.Insecure = true
		require.NoError(t, c.Validate(), url)
	}
}

// A name that turns out to be that of no loopback address is refused when it is bound, before anybody is served.
func TestServeRefusesWhatIsExposed(t *testing.T) {
	c := defaultConfig()
	c.Data, c.Endpoints = t.TempDir(), []string{"tcp://0.0.0.0:0"} // As Validate would let pass what it cannot know.
	err := serve(t.Context(), &c, newLogger(stdio{err: io.Discard}, c.Log), func([]net.Addr) { t.Error("ready") })
	require.ErrorIs(t, err, errExposed)
	require.Equal(t, exitUsage, serveCode(err))
}

func TestServeCodes(t *testing.T) {
	require.Equal(t, exitStore, serveCode(errors.Join(errStoreFailed, serialdaemon.ErrDrainTimeout)))
	require.Equal(t, exitOpen, serveCode(errStoreOpen))
	require.Equal(t, serialdaemon.ExitCut, serveCode(serialdaemon.ErrDrainTimeout))
	require.Equal(t, exitOK, serveCode(nil))
}

// A stop under load answers each append that it has begun to read and refuses the others, so that no producer is in
// doubt; a tail ends with its position. What was acknowledged, and nothing else, is there afterwards.
func TestStopUnderLoad(t *testing.T) {
	const producers, rounds = 8, 3
	dir := t.TempDir()
	var acknowledged uint64
	for round := range rounds {
		c := serving(t, dir)
		tail := follow(t, c)
		var mu sync.Mutex
		var all sync.WaitGroup
		running := make(chan struct{}, producers)
		for n := range producers {
			p := newProducer(c.dial(), uint16(round*producers+n))
			all.Go(func() {
				for {
					_, err := p.send(context.Background(), encoded(said("a"), said("b"), said("c")), 3)
					if err != nil {
						if !serialclient.SafeToRetry(err) {
							t.Errorf("in doubt: %v", err)
						}
						return
					}
					mu.Lock()
					acknowledged += 3
					mu.Unlock()
					select {
					case running <- struct{}{}:
					default:
					}
				}
			})
		}
		for range producers {
			<-running
		}
		require.Equal(t, serialdaemon.ExitOK, c.stop())
		all.Wait()
		require.LessOrEqual(t, <-tail, acknowledged+1)
	}
	require.NotZero(t, acknowledged)
	c := serving(t, dir)
	require.Equal(t, acknowledged+1, c.stats().NextID)
	require.EqualValues(t, acknowledged, c.stats().Records)
}

// follow begins a tail, and returns the position that it ends with.
func follow(t *testing.T, c *collector) <-chan uint64 {
	s, err := c.dial().Stream(t.Context(), logwire.TaskTail, bytes.NewReader(logwire.AppendTailRequest(nil, logwire.TailRequest{})))
	require.NoError(t, err)
	in := bufio.NewReader(s)
	_, err = in.ReadByte()
	require.NoError(t, err)
	position := make(chan uint64, 1)
	go func() {
		defer s.Close()
		for frames := logwire.NewFrameReader(in); ; {
			frame, err := frames.Next()
			if err != nil {
				if err != io.EOF {
					t.Errorf("the tail ended with %v", err)
				}
				close(position)
				return
			}
			if frame.Kind == logwire.FramePosition {
				select {
				case <-position:
				default:
				}
				position <- frame.ID
			}
		}
	}()
	return position
}

// The address for the commands that ask a collector is no setting of serve, and any other variable that is not known is an error.
func TestServeEnvironment(t *testing.T) {
	t.Setenv("LOGD_ADDR", "tcp://127.0.0.1:1")
	t.Setenv("LOGD_DATA", "/from/the/environment")
	exit, stdout, stderr := runToEnd(t, "serve", "-print-config")
	require.Equal(t, exitOK, exit, stderr)
	require.Contains(t, stdout, "/from/the/environment")
	t.Setenv("LOGD_RETENTION_AGEE", "3d")
	exit, _, stderr = runToEnd(t, "serve", "-print-config")
	require.Equal(t, exitUsage, exit)
	require.Contains(t, stderr, "LOGD_RETENTION_AGE")
}

func TestHelp(t *testing.T) {
	exit, stdout, _ := runToEnd(t, "help")
	require.Equal(t, exitOK, exit)
	for _, c := range commands {
		require.True(t, strings.Contains(stdout, c.name))
	}
}
