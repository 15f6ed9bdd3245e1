package serialserver_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
)

// vanishes is how long a vanished client may stay unnoticed.
const vanishes = time.Second

// On a connection that has no kernel to ask, the server reads ahead. At whatever moment the client
// vanishes, the task that does not read is told within a second.
func TestVanishedClient(t *testing.T) {
	for name, end := range map[string]func(*session){
		"half-close": (*session).closeWrite,
		"close":      func(s *session) { s.Close() },
		"reset":      (*session).reset,
	} {
		for _, unread := range []int{0, 1, 10_000} {
			for _, at := range []time.Duration{0, 149 * time.Millisecond, 300 * time.Millisecond, 10 * time.Second} {
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						f, causes := untilStopped(time.Hour)
						s := connect(t, newServer(nil, f))
						s.send(beginning(testTask, strings.Repeat("x", unread)))
						sleep(at)
						synctest.Wait()
						end(s)
						got := <-causes
						require.Equal(t, serialserver.ErrClientVanished, got.cause)
						require.LessOrEqual(t, got.after-at, vanishes)
						if name == "half-close" {
							s.wants(ok("done")) // it still reads
						}
					})
				})
			}
		}
	}
}

// A client that is there is never taken for a vanished one, and what was read ahead while looking
// are its next requests, whole and in order, without delay.
func TestBytesReadAheadAreTheNextTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, causes := untilStopped(10 * time.Second)
		s := connect(t, newServer(nil, f))
		s.send(request(testTask, ""))
		want := []string{}
		for i := range 20 {
			sleep(400 * time.Millisecond)
			want = append(want, strings.Repeat("x", i))
			s.send(request(echoTask, want[i]))
		}
		s.send([]byte{echoTask, 2, 'a'})
		s.wants(ok("done"))
		require.Equal(t, stopped{nil, 10 * time.Second}, <-causes)
		for _, want := range want {
			s.wants(ok(want))
		}
		require.Equal(t, 10*time.Second, time.Since(s.start), "no delay")
		sleep(time.Second)
		s.send([]byte{'b', 0})
		s.wants(ok("ab"))
		s.closeWrite()
		require.NoError(t, s.result())
	})
}

// The same for the message of the running task: what was read ahead of it reaches the task.
func TestBytesReadAheadOfTheTaskItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, func(_ ctx, _ client, in reader) (io.Reader, error) {
			sleep(time.Second)
			first := make([]byte, 3)
			_, err := io.ReadFull(in, first)
			sleep(time.Second)
			return io.MultiReader(strings.NewReader(string(first)), in), err
		}))
		s.send([]byte{testTask})
		for _, b := range []byte{5, 'a', 'b', 'c', 'd', 'e', 0} {
			sleep(350 * time.Millisecond)
			s.send([]byte{b})
		}
		s.send(request(echoTask, "x"))
		s.wants(ok("abcde"), ok("x"))
		require.Less(t, time.Since(s.start), 2451*time.Millisecond)
	})
}

// More than is read ahead: no end is seen behind it, and no byte of it is lost.
func TestVanishedBehindMoreThanIsReadAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, causes := untilStopped(10 * time.Second)
		s := connect(t, newServer(nil, f))
		text := strings.Repeat("0123456789", 4000)
		s.send(request(testTask, ""))
		sleep(time.Second)
		s.send(request(echoTask, text))
		s.closeWrite()
		s.wants(ok("done"), ok(text))
		s.wantsEnd()
		require.NoError(t, s.result())
		require.Equal(t, stopped{nil, 10 * time.Second}, <-causes)
	})
}

// Requests that were received before the client vanished are run and answered, and each of them
// is told.
func TestVanishedWithRequestsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, causes := untilStopped(time.Hour)
		s := connect(t, newServer(nil, f))
		for range 3 {
			s.send(request(testTask, ""))
		}
		sleep(time.Minute)
		s.closeWrite()
		after := time.Minute
		for range 3 {
			s.wants(ok("done"))
			got := <-causes
			require.Equal(t, serialserver.ErrClientVanished, got.cause)
			require.LessOrEqual(t, got.after-after, vanishes)
			after = 0
		}
		require.NoError(t, s.result())
	})
}

// The reading ahead that one task began tells the next one.
func TestVanishedDuringALaterTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, causes := untilStopped(10 * time.Second)
		s := connect(t, newServer(nil, f))
		s.send(append(request(testTask, ""), request(testTask, "")...))
		s.wants(ok("done"))
		require.Equal(t, stopped{nil, 10 * time.Second}, <-causes)
		sleep(time.Second)
		s.closeWrite()
		got := <-causes
		require.Equal(t, serialserver.ErrClientVanished, got.cause)
		require.LessOrEqual(t, got.after, time.Second+vanishes)
		s.wants(ok("done"))
	})
}

// A task that reads learns of it by its reading.
func TestVanishedWhileTheTaskReads(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(*session)
		want error
	}{
		"half-close": {(*session).closeWrite, serialserver.ErrClientVanished},
		"reset":      {(*session).reset, serialserver.ErrClientVanished},
		"timeout":    {func(*session) { sleep(serialserver.DefaultRead) }, errTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cause := make(chan error, 1)
				s := connect(t, newServer(nil, func(ctx ctx, _ client, in reader) (io.Reader, error) {
					go io.Copy(io.Discard, in)
					<-ctx.Done()
					cause <- context.Cause(ctx)
					return nil, nil
				}))
				s.send(beginning(testTask, "x"))
				synctest.Wait()
				start := time.Now()
				test.end(s)
				require.ErrorIs(t, <-cause, test.want)
				require.LessOrEqual(t, time.Since(start), serialserver.DefaultRead)
			})
		})
	}
}
