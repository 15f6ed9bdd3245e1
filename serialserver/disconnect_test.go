package serialserver_test

import (
	"context"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// stopped is how a task's context was when it ended, and when that was.
type stopped struct {
	cause error
	after time.Duration
}

// untilStopped returns a task that answers "done" once its context is cancelled, or after d.
func untilStopped(d time.Duration) (task, <-chan stopped) {
	causes := make(chan stopped, 10)
	return func(ctx ctx, _ client, _ reader) (io.Reader, error) {
		start := time.Now()
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
		causes <- stopped{context.Cause(ctx), time.Since(start)}
		return strings.NewReader("done"), nil
	}, causes
}

func TestDisconnectIdle(t *testing.T) {
	for name, used := range map[string]bool{"new": false, "used": true} {
		for _, d := range []time.Duration{-1, 0, time.Hour} {
			t.Run(name+" "+d.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					srv := newServer(nil, nil)
					s := connect(t, srv)
					if used {
						s.send(request(echoTask, "x"))
						s.wants(ok("x"))
					}
					synctest.Wait()
					c := srv.Clients()[0]
					c.Disconnect(d)
					c.Disconnect(d)
					s.wants(goodbye)
					s.wantsEnd()
					s.Close()
					require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
					require.Zero(t, s.lasted)
					c.Disconnect(d) // when it has ended
				})
			})
		}
	}
}

// A task may finish within d, to the nanosecond; then its answer and Goodbye arrive. At d its
// context is cancelled, for that cause, and the connection closed.
func TestDisconnectRunning(t *testing.T) {
	const d = 10 * time.Second
	for _, takes := range []time.Duration{1, d - 1, d + 1} {
		t.Run(takes.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, causes := untilStopped(takes)
				srv := newServer(nil, f)
				s := connect(t, srv)
				s.send(request(testTask, ""), request(echoTask, "not handled"))
				synctest.Wait()
				srv.Clients()[0].Disconnect(d)
				if takes > d {
					require.ErrorIs(t, s.result(), serialserver.ErrDisconnectTimeout)
					require.Equal(t, d, s.lasted)
					require.Equal(t, stopped{serialserver.ErrDisconnectTimeout, d}, <-causes)
					return
				}
				s.wants(ok("done"), goodbye)
				require.Equal(t, takes, time.Since(s.start))
				s.closeWrite()
				require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
				require.Equal(t, takes, s.lasted, "no timer is waited for")
				require.Equal(t, stopped{nil, takes}, <-causes)
			})
		})
	}
}

func TestDisconnectAgainTheEarlierEndWins(t *testing.T) {
	for name, test := range map[string]struct{ first, second, end time.Duration }{
		"earlier":     {10 * time.Second, 3 * time.Second, 4 * time.Second},
		"later":       {10 * time.Second, time.Hour, 10 * time.Second},
		"now":         {10 * time.Second, 0, time.Second},
		"negative":    {10 * time.Second, -time.Hour, time.Second},
		"at the same": {10 * time.Second, 9 * time.Second, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, causes := untilStopped(time.Hour)
				srv := newServer(nil, f)
				s := connect(t, srv)
				s.send(request(testTask, ""))
				synctest.Wait()
				srv.Disconnect(test.first)
				sleep(time.Second)
				srv.Disconnect(test.second)
				srv.Disconnect(time.Hour)
				s.wantsEnd() // neither an answer nor Goodbye
				require.ErrorIs(t, s.result(), serialserver.ErrDisconnectTimeout)
				require.Equal(t, test.end, s.lasted)
				require.Equal(t, stopped{serialserver.ErrDisconnectTimeout, test.end}, <-causes)
			})
		})
	}
}

// A task that does not look at its context does not keep the connection open, though
// HandleConnection waits for it.
func TestDisconnectDeafTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, sleeper(time.Minute))
		s := connect(t, srv)
		s.send(request(testTask, ""))
		synctest.Wait()
		srv.Disconnect(time.Second)
		s.wantsEnd()
		require.Equal(t, time.Second, time.Since(s.start))
		require.ErrorIs(t, s.result(), serialserver.ErrDisconnectTimeout)
		require.Equal(t, time.Minute, s.lasted)
	})
}

// The answer belongs to the task: it may be written within d, and is cut at d, whatever the write
// timeout. That holds for the last of it too, which is written when the task has ended.
func TestDisconnectWhileTheAnswerIsWritten(t *testing.T) {
	for name, size := range map[string]int{"large": 1 << 20, "small": 10} {
		for when, early := range map[string]bool{"before it": true, "during it": false} {
			for taken, at := range map[string]time.Duration{"just taken": time.Second - 1, "not taken": 0} {
				t.Run(name+", "+when+", "+taken, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						disconnectWriting(t, strings.Repeat("x", size), early, false, at)
					})
				})
				if early {
					t.Run(name+", before it, pipelined, "+taken, func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							disconnectWriting(t, strings.Repeat("x", size), early, true, at)
						})
					})
				}
			}
		}
	}
}

// disconnectWriting has a second for an answer, which the client takes at a moment of that second
// or, with 0, never.
func disconnectWriting(t *testing.T, text string, early, pipelined bool, at time.Duration) {
	srv := newServer(nil, func(ctx, client, reader) (io.Reader, error) {
		sleep(time.Second)
		return strings.NewReader(text), nil
	})
	s := connect(t, srv, serialtest.Buffer(0))
	if pipelined {
		s.send(append(request(testTask, ""), request(echoTask, "not handled")...))
	} else {
		s.send(request(testTask, ""))
	}
	synctest.Wait()
	if early {
		srv.Disconnect(2 * time.Second)
	}
	sleep(time.Second)
	synctest.Wait()
	if !early {
		srv.Disconnect(time.Second)
	}
	if at > 0 {
		sleep(at)
		s.wants(ok(text), goodbye)
		s.Close()
		require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
		return
	}
	require.ErrorIs(t, s.result(), serialserver.ErrDisconnectTimeout)
	require.Equal(t, 2*time.Second, s.lasted)
}

// An answer that is only being written has 500 ms, even if no task has any time.
func TestDisconnectNowWhileTheAnswerIsWritten(t *testing.T) {
	around(t, 500*time.Millisecond, func(t *testing.T, at time.Duration, late bool) {
		srv := newServer(nil, nil)
		s := connect(t, srv, serialtest.Buffer(0))
		s.send(request(echoTask, ""))
		synctest.Wait()
		srv.Disconnect(0)
		sleep(at)
		if late {
			require.ErrorIs(t, s.result(), serialserver.ErrDisconnectTimeout)
			return
		}
		s.wants(ok(""), goodbye)
		s.Close()
		require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
	})
}

// Discarding what a task left unread ends at once, whenever the Disconnect comes.
func TestDisconnectWhileDraining(t *testing.T) {
	for name, before := range map[string]bool{"before the task ends": true, "after it": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(&serialserver.Timeout{Read: time.Hour}, sleeper(time.Second))
				s := connect(t, srv)
				s.send(beginning(testTask, "begun"))
				synctest.Wait()
				if before {
					srv.Disconnect(time.Hour)
				}
				s.wants(ok(""))
				if !before {
					s.wantsSilence()
					srv.Disconnect(time.Hour)
				}
				s.wants(goodbye)
				s.wantsEnd()
				require.Less(t, time.Since(s.start), time.Second+2*time.Millisecond)
				s.Close()
				require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
			})
		})
	}
}

// A goroutine that sits in a read of the message does not outlast d.
func TestDisconnectWhileAReadIsAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read := make(chan error, 1)
		srv := newServer(&serialserver.Timeout{Read: time.Hour}, func(_ ctx, _ client, in reader) (io.Reader, error) {
			go func() {
				_, err := io.ReadAll(in)
				read <- err
			}()
			settle() // until it sits there
			return nil, nil
		}, serialserver.WithLimits(serialserver.Limits{MinRate: -1}))
		s := connect(t, srv)
		s.send(beginning(testTask, "begun"))
		sleep(time.Second)
		srv.Disconnect(time.Second)
		require.ErrorIs(t, s.result(), serialserver.ErrDisconnectTimeout)
		require.Equal(t, 2*time.Second, s.lasted)
		require.Error(t, <-read)
	})
}

// Of two ways to be closed the first is what HandleConnection returns.
func TestFirstCloseCounts(t *testing.T) {
	for name, test := range map[string]struct {
		close time.Duration // when; Disconnect's time is a second
		want  error
	}{
		"cut off, closed": {2 * time.Second, serialserver.ErrDisconnectTimeout},
		"closed, cut off": {time.Second / 2, serialserver.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, sleeper(time.Minute))
				s := connect(t, srv)
				s.send(request(testTask, ""))
				synctest.Wait()
				c := srv.Clients()[0]
				c.Disconnect(time.Second)
				sleep(test.close)
				c.Close()
				require.ErrorIs(t, s.result(), test.want)
			})
		})
	}
}

// From its own task.
func TestDisconnectFromTheTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, func(_ ctx, c client, _ reader) (io.Reader, error) {
			c.Disconnect(time.Second)
			return strings.NewReader("bye"), nil
		}))
		s.send(request(testTask, ""), request(echoTask, "not handled"))
		s.wants(ok("bye"), goodbye)
		s.Close()
		require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
	})
}

// An answer that the client does not take is lost, and that is no graceful end.
func TestLostAnswerIsNotGraceful(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m serialserver.MemoryMetrics
		srv := newServer(nil, nil)
		srv.SetMetrics(&m)
		s := connect(t, srv, serialtest.Buffer(0))
		s.sendAside(append(request(emptyTask, ""), disconnect...))
		err := s.result()
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NotErrorIs(t, err, serialserver.ErrGracefulDisconnect)
		require.Equal(t, map[serialserver.CloseReason]uint64{serialserver.ClosedWrite: 1}, m.Connections().Closed)
	})
}

// A Goodbye that the client does not take is waited for as long as a lingering close, whatever the write
// timeout is.
func TestGoodbyeIsBounded(t *testing.T) {
	for _, timeout := range []time.Duration{time.Second, time.Hour, -1} {
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(&serialserver.Timeout{Write: timeout}, nil, serialserver.WithLimits(serialserver.Limits{MinRate: -1}))
			s := connect(t, srv, serialtest.Buffer(2))
			s.send(request(emptyTask, "")) // whose answer fills the buffer
			synctest.Wait()
			srv.Disconnect(0)
			require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
			limit := 5 * time.Second
			if timeout == time.Second {
				limit = timeout
			}
			require.Equal(t, limit, s.lasted)
		})
	}
}

// A connection whose deadlines do nothing is closed all the same.
func TestDisconnectWithoutDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := serialtest.Pipe()
		srv := newServer(nil, nil)
		s := serve(t, context.Background(), srv, client, timeless{server})
		synctest.Wait()
		srv.Disconnect(0)
		require.ErrorIs(t, s.result(), serialserver.ErrDisconnectTimeout)
		require.Equal(t, 5*time.Second, s.lasted)
	})
}

type timeless struct{ net.Conn }

func (timeless) SetReadDeadline(time.Time) error  { return nil }
func (timeless) SetWriteDeadline(time.Time) error { return nil }

// However much of its time the last answer has taken, the Goodbye has its own, and is not written for longer than that.
func TestGoodbyeHasItsOwnTime(t *testing.T) {
	for name, test := range map[string]struct {
		takes time.Duration // how long the client takes no Goodbye
		told  bool
	}{
		"within": {4 * time.Second, true},
		"beyond": {5*time.Second + 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil, serialserver.WithLimits(serialserver.Limits{MessageTime: time.Second}))
				s := connect(t, srv, serialtest.Buffer(2))
				s.send(request(echoTask, "x")) // whose answer has 4 bytes
				sleep(900 * time.Millisecond)
				_, err := io.ReadFull(s.Conn, make([]byte, 2))
				require.NoError(t, err)
				synctest.Wait()
				srv.Disconnect(time.Hour)
				sleep(test.takes)
				rest, _ := io.ReadAll(s.Conn)
				if test.told {
					require.Equal(t, byte(serial.ResponseGoodbye), rest[len(rest)-1])
					s.Close()
					require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
					return
				}
				s.Close()
				s.result()
				require.Equal(t, 5900*time.Millisecond, s.lasted)
				require.Equal(t, []byte{'x', 0}, rest)
			})
		})
	}
}
