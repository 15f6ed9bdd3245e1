package serialserver_test

import (
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// reads returns a task that reads k bytes of its message (-1: all), checks them and answers "ok".
func reads(k int) task {
	return func(_ ctx, _ client, in reader) (io.Reader, error) {
		if k < 0 {
			_, err := io.Copy(io.Discard, in)
			return strings.NewReader("ok"), err
		}
		_, err := io.ReadFull(in, make([]byte, k))
		return strings.NewReader("ok"), err
	}
}

// Whatever a task leaves unread up to the cap is discarded, and the session goes on; one byte more
// ends it with Goodbye. What the task has read does not count.
func TestUnreadInput(t *testing.T) {
	const limit = 1000
	for _, read := range []int{0, 1, 255, 700} {
		for _, off := range []int{-1, 0, 1} {
			t.Run(fmt.Sprintf("%d read, limit%+d", read, off), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := connect(t, newServer(nil, reads(read), serialserver.WithLimits(serialserver.Limits{UnreadInput: limit})))
					s.send(request(testTask, strings.Repeat("\x01", read+limit+off)), request(echoTask, "x"))
					s.wants(ok("ok"))
					if off <= 0 {
						s.wants(ok("x"))
						return
					}
					s.wants(goodbye)
					s.closeWrite()
					s.wantsEnd()
					require.ErrorIs(t, s.result(), serialserver.ErrUnreadInput)
					require.ErrorContains(t, s.err, "task 3 (test)")
				})
			})
		}
	}
}

func TestAllReadIsNeverTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, reads(-1), serialserver.WithLimits(serialserver.Limits{UnreadInput: -1})))
		s.send(request(testTask, strings.Repeat("x", 10_000)), request(testTask, ""))
		s.wants(ok("ok"), ok("ok"))
	})
}

func TestLimitsUnreadInput(t *testing.T) {
	for _, test := range []struct {
		set    int64
		unread int
		fine   bool
	}{
		{0, serialserver.DefaultUnreadInput, true},
		{0, serialserver.DefaultUnreadInput + 1, false},
		{1, 1, true},
		{1, 2, false},
		{-1, 0, true},
		{-1, 1, false},
		{math.MinInt64, 1, false},
		{math.MaxInt64, 1 << 20, true},
		{math.MaxInt64 - 1, 1 << 20, true},
	} {
		t.Run(fmt.Sprint(test.set, " ", test.unread), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := connect(t, newServer(nil, nil, serialserver.WithLimits(serialserver.Limits{UnreadInput: test.set})))
				s.sendAside(request(emptyTask, strings.Repeat("\x01", test.unread)), request(echoTask, "x"))
				s.wants(ok(""))
				if test.fine {
					s.wants(ok("x"))
					return
				}
				s.wants(goodbye)
				s.closeWrite()
				require.ErrorIs(t, s.result(), serialserver.ErrUnreadInput)
			})
		})
	}
}

// A failed task's client gets the Error at once; if it goes on sending past the cap, Goodbye, and
// it is listened to until it stops.
func TestClientThatGoesOnSendingToAFailedTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, fails(coded(7))))
		s.send([]byte{testTask})
		s.wants(failed(7))
		sent := s.sendAside([]byte(strings.Repeat("\xff"+strings.Repeat("\x03", 255), 4096))) // 1 MiB
		s.wants(goodbye)
		<-sent
		s.wantsEnd()
		require.NoError(t, s.Close())
		require.ErrorIs(t, s.result(), serialserver.ErrUnreadInput)
	})
}

// After Goodbye the client has 500 ms without sending anything, 5 s in all.
func TestLingeringIsBounded(t *testing.T) {
	for name, test := range map[string]struct{ every, end time.Duration }{
		"quiet":   {time.Hour, 500 * time.Millisecond},
		"dripper": {400 * time.Millisecond, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := connect(t, newServer(nil, nil))
				s.send(disconnect)
				s.wants(goodbye)
				s.wantsEnd()
				ticker := time.NewTicker(test.every)
				for {
					select {
					case <-ticker.C:
						s.Write([]byte{echoTask})
						continue
					case <-s.returned:
					}
					break
				}
				require.Equal(t, serialserver.ErrGracefulDisconnect, s.err)
				require.Equal(t, test.end, s.lasted)
			})
		})
	}
}

// The drain is held to the read timeout, and Goodbye tells that the client is out of step.
func TestUnreadInputThatDoesNotCome(t *testing.T) {
	around(t, serialserver.DefaultRead, func(t *testing.T, at time.Duration, late bool) {
		s := connect(t, newServer(nil, nil))
		s.send(beginning(emptyTask, "begun"))
		s.wants(ok(""))
		sleep(at)
		s.Write(append([]byte{0}, request(echoTask, "x")...))
		if !late {
			s.wants(ok("x"))
			return
		}
		s.wants(goodbye)
		s.wantsEnd()
		s.Close()
		require.ErrorIs(t, s.result(), errTimeout)
	})
}

// The answer that waits in front of the rest of a message is held to the write timeout.
func TestAnswerNotTakenWhileDraining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m serialserver.MemoryMetrics
		srv := newServer(&serialserver.Timeout{Read: time.Hour}, nil)
		srv.SetMetrics(&m)
		s := connect(t, srv, serialtest.Buffer(0))
		s.send(beginning(emptyTask, "begun"))
		require.ErrorIs(t, s.result(), errTimeout)
		require.Equal(t, serialserver.DefaultWrite, s.lasted)
		require.Equal(t, map[serialserver.CloseReason]uint64{serialserver.ClosedWrite: 1}, m.Connections().Closed)
	})
}
