package serialserver_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

var (
	noRate    = serialserver.WithLimits(serialserver.Limits{MinRate: -1})
	unlimited = serialserver.WithLimits(serialserver.Limits{MinRate: -1, MessageTime: -1, TaskTime: -1})
)

const year = 365 * 24 * time.Hour

// timeouts are the ways to say how long a read or a write may take.
var timeouts = map[string]struct{ set, is time.Duration }{
	"default": {0, 5 * time.Second},
	"own":     {time.Minute, time.Minute},
	"1 ns":    {1, 1},
}

// readingTime is a task that reads all, and tells when that ended and why.
type readingTime struct {
	n     int64
	err   error
	after time.Duration
}

func timedRead() (task, <-chan readingTime) {
	done := make(chan readingTime, 1)
	return func(_ ctx, _ client, in reader) (io.Reader, error) {
		start := time.Now()
		n, err := io.Copy(io.Discard, in)
		done <- readingTime{n, err, time.Since(start)}
		return nil, err
	}, done
}

func TestReadTimeoutAtItsLimit(t *testing.T) {
	for name, timeout := range timeouts {
		t.Run(name, func(t *testing.T) {
			around(t, timeout.is, func(t *testing.T, at time.Duration, late bool) {
				f, done := timedRead()
				s := connect(t, newServer(&serialserver.Timeout{Read: timeout.set}, f, noRate))
				s.send([]byte{testTask})
				sleep(at)
				s.Write([]byte{0})
				got := <-done
				if !late {
					require.Equal(t, readingTime{0, nil, at}, got)
					return
				}
				require.ErrorIs(t, got.err, errTimeout)
				require.Equal(t, timeout.is, got.after)
				s.wantsEnd() // no answer, no Goodbye
				s.Close()
				require.ErrorIs(t, s.result(), errTimeout)
			})
		})
	}
}

// Each byte grants the read timeout anew.
func TestReadTimeoutIsRolling(t *testing.T) {
	around(t, serialserver.DefaultRead, func(t *testing.T, at time.Duration, late bool) {
		f, done := timedRead()
		s := connect(t, newServer(nil, f, noRate))
		s.send([]byte{testTask})
		for range 20 {
			sleep(serialserver.DefaultRead - 1)
			s.send([]byte{1})
		}
		sleep(at)
		s.Write([]byte{0})
		got := <-done
		require.Equal(t, int64(10), got.n)
		if !late {
			require.NoError(t, got.err)
			return
		}
		require.ErrorIs(t, got.err, errTimeout)
		require.Equal(t, 20*(serialserver.DefaultRead-1)+serialserver.DefaultRead, got.after)
	})
}

// The read timeout runs only while the task wants to read.
func TestReadTimeoutDoesNotRunWhileTheTaskWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, func(_ ctx, _ client, in reader) (io.Reader, error) {
			for range 3 {
				sleep(time.Hour)
				if _, err := in.ReadUint8(); err != nil {
					return nil, err
				}
			}
			return nil, nil
		}, noRate))
		s.send([]byte{testTask})
		for range 3 {
			sleep(time.Hour + serialserver.DefaultRead - 1)
			s.send([]byte{1, 'x'})
		}
		s.send([]byte{0})
		s.wants(ok(""))
	})
}

func TestWriteTimeoutAtItsLimit(t *testing.T) {
	for name, timeout := range timeouts {
		t.Run(name, func(t *testing.T) {
			around(t, timeout.is, func(t *testing.T, at time.Duration, late bool) {
				text := strings.Repeat("x", 100_000)
				srv := newServer(&serialserver.Timeout{Write: timeout.set}, returns(strings.NewReader(text)), noRate)
				s := connect(t, srv, serialtest.Buffer(0))
				s.send(request(testTask, ""))
				if late {
					require.ErrorIs(t, s.result(), errTimeout)
					require.Equal(t, timeout.is, s.lasted)
					return
				}
				sleep(at)
				s.wants(ok(text))
			})
		})
	}
}

// A client that takes something from time to time is not cut.
func TestWriteTimeoutIsRolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, returns(bytes.NewReader(make([]byte, 100_000))), noRate), serialtest.Buffer(0))
		s.send(request(testTask, ""))
		p := make([]byte, 1000)
		for range 90 {
			sleep(serialserver.DefaultWrite - 1)
			_, err := io.ReadFull(s.Conn, p)
			require.NoError(t, err)
		}
	})
}

// With none, nothing happens for a year: neither to the rest of a message nor to an answer.
func TestNegativeReadAndWriteAreNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(&serialserver.Timeout{Read: -1, Write: -1}, nil, unlimited)
		s := connect(t, srv, serialtest.Buffer(0))
		s.send([]byte{emptyTask})
		sleep(year)
		s.wants(ok(""))
		sleep(year)
		s.send([]byte{1, 'x'})
		sleep(year)
		sent := s.sendAside([]byte{0}, request(emptyTask, ""))
		sleep(year)
		s.wants(ok(""))
		<-sent
	})
}

// Even then a closing connection ends: its Goodbye has 5 s.
func TestGoodbyeHasALimitWithoutAWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(&serialserver.Timeout{Wait: time.Second, Write: -1}, nil, noRate)
		s := connect(t, srv, serialtest.Buffer(0))
		require.Equal(t, serialserver.ErrTimeoutWaitingForTask, s.result())
		require.Equal(t, 6*time.Second, s.lasted)
	})
}
