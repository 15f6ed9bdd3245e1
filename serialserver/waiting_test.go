package serialserver_test

import (
	"context"
	"io"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

func TestWaitTimeoutSaysGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(&serialserver.Timeout{Wait: time.Minute}, nil)
		s := connect(t, srv)
		s.wants(goodbye)
		require.Equal(t, time.Minute, time.Since(s.start))
		s.wantsEnd()
		s.Close()
		require.Equal(t, serialserver.ErrTimeoutWaitingForTask, s.result())
		require.Equal(t, time.Minute, s.lasted)
	})
}

func TestWaitTimeoutAtItsLimit(t *testing.T) {
	around(t, serialserver.DefaultWait, func(t *testing.T, at time.Duration, late bool) {
		s := connect(t, newServer(nil, nil))
		sleep(at)
		s.Write(request(emptyTask, ""))
		if late {
			s.wants(goodbye)
			return
		}
		s.wants(ok(""))
		s.closeWrite()
		require.NoError(t, s.result())
	})
}

// The wait begins anew when an answer has been written, after each task.
func TestWaitTimeoutBeginsAfterTheAnswer(t *testing.T) {
	around(t, serialserver.DefaultWait, func(t *testing.T, at time.Duration, late bool) {
		s := connect(t, newServer(nil, nil))
		for range 3 {
			sleep(serialserver.DefaultWait - 1)
			s.send(request(emptyTask, ""))
			s.wants(ok(""))
		}
		sleep(at)
		s.Write(request(emptyTask, ""))
		if late {
			s.wants(goodbye)
			require.Equal(t, serialserver.ErrTimeoutWaitingForTask, s.result())
			return
		}
		s.wants(ok(""))
	})
}

// Half a request is not waited for by the wait timeout, and a slow task is not idleness.
func TestWaitTimeoutRunsOnlyWhileIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(&serialserver.Timeout{Wait: time.Second, Read: time.Hour}, sleeper(time.Minute), serialserver.WithLimits(serialserver.Limits{MinRate: -1}))
		s := connect(t, srv)
		s.send(request(testTask, ""))
		s.wants(ok(""))
		sleep(time.Second - 1)
		s.send([]byte{echoTask})
		sleep(time.Minute)
		s.send([]byte{0})
		s.wants(ok(""))
		require.Equal(t, 2*time.Minute+time.Second-1, time.Since(s.start))
	})
}

// A request that was received while a task ran is never late.
func TestWaitTimeoutDoesNotConcernWhatIsBuffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(&serialserver.Timeout{Wait: 1}, sleeper(time.Minute))
		s := connect(t, srv)
		s.send(append(request(testTask, ""), request(testTask, "")...))
		s.wants(ok(""), ok(""), goodbye)
		require.Equal(t, serialserver.ErrTimeoutWaitingForTask, s.result())
	})
}

func TestNegativeWaitIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(&serialserver.Timeout{Wait: -1}, nil))
		s.send(request(emptyTask, ""))
		s.wants(ok(""))
		sleep(365 * 24 * time.Hour)
		s.send(request(emptyTask, ""))
		s.wants(ok(""))
	})
}

func TestPeerClosesAtABoundary(t *testing.T) {
	for _, test := range []struct {
		name  string
		tasks int
		end   func(*session)
	}{
		{"at once", 0, func(s *session) { s.Close() }},
		{"half, at once", 0, (*session).closeWrite},
		{"after tasks", 3, func(s *session) { s.Close() }},
		{"half, after tasks", 3, (*session).closeWrite},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := connect(t, newServer(nil, nil))
				for range test.tasks {
					s.send(request(echoTask, "x"))
					s.wants(ok("x"))
				}
				test.end(s)
				require.NoError(t, s.result())
				require.Zero(t, s.lasted)
			})
		})
	}
}

// All that was received before a half-close is answered, and no Goodbye follows.
func TestHalfCloseGetsItsAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, nil))
		s.send(request(echoTask, "a"), request(emptyTask, ""), request(echoTask, "b"))
		s.closeWrite()
		s.wants(ok("a"), ok(""), ok("b"))
		s.wantsEnd()
		require.NoError(t, s.result())
	})
}

func TestResetWhileWaitingIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, nil))
		s.reset()
		require.ErrorIs(t, s.result(), syscall.ECONNRESET)
	})
}

// Wherever a message is cut, its reader sees an unexpected end, and that is the connection's error.
func TestPeerClosesInsideAMessage(t *testing.T) {
	whole := request(testTask, string(make([]byte, 300)))
	for n := 1; n < len(whole); n++ {
		synctest.Test(t, func(t *testing.T) {
			var seen error
			srv := newServer(nil, func(_ ctx, _ client, in reader) (io.Reader, error) {
				_, seen = io.Copy(io.Discard, in)
				return nil, seen
			})
			s := connect(t, srv)
			s.send(whole[:n])
			s.closeWrite()
			s.wantsEnd() // no answer, and no Goodbye: the task may have run
			require.ErrorIs(t, s.result(), io.ErrUnexpectedEOF)
			require.NotEqual(t, io.ErrUnexpectedEOF, s.err, "wrapped")
			require.ErrorContains(t, s.err, "task 3 (test)")
			require.Equal(t, io.ErrUnexpectedEOF, seen)
		})
	}
}

// A task that has not noticed that its message is cut is answered.
func TestCutMessageThatTheTaskDidNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, nil))
		s.send(beginning(emptyTask, "cut"))
		s.closeWrite()
		s.wants(ok(""), goodbye)
		s.wantsEnd()
		require.ErrorIs(t, s.result(), io.ErrUnexpectedEOF)
	})
}

// A connection that is served in pieces of one byte gives the same answers.
func TestRequestsInSingleBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := serialtest.Pipe()
		chunks := serialtest.ChunkReads(1)
		s := serve(t, context.Background(), newServer(nil, nil), client, serialtest.Faulty(server, chunks))
		s.send(request(echoTask, "hello"), request(emptyTask, "unread"), request(echoTask, "bye"), disconnect)
		s.wants(ok("hello"), ok(""), ok("bye"), goodbye)
		require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
		require.NotZero(t, chunks.Fired())
	})
}
