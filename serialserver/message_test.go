package serialserver_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
)

// The usual way to stream: a goroutine reads in, the task returns the other end of a pipe.
func TestTaskThatReadsInAnotherGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, func(_ ctx, _ client, in reader) (io.Reader, error) {
			r, w := io.Pipe()
			go func() {
				_, err := io.Copy(w, in)
				w.CloseWithError(err)
			}()
			return r, nil
		}))
		text := strings.Repeat("0123456789", 20_000)
		for range 3 {
			sent := s.sendAside(request(testTask, text), request(echoTask, "x"))
			require.Equal(t, ok(text), s.answer())
			s.wants(ok("x"))
			<-sent
		}
	})
}

// A live conversation: the answer begins before the message has ended, byte by byte.
func TestAnswerWhileTheMessageArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, nil, serialserver.WithLimits(serialserver.Limits{MinRate: -1})))
		s.send([]byte{echoTask})
		for i, b := range []byte("conversation") {
			s.send([]byte{1, b})
			want := []byte{1, b}
			if i == 0 {
				want = []byte{0, 1, b}
			}
			got := make([]byte, len(want))
			_, err := io.ReadFull(s.in, got)
			require.NoError(t, err)
			require.Equal(t, want, got)
			sleep(time.Second)
		}
		s.send([]byte{0})
		end, err := s.in.ReadByte()
		require.NoError(t, err)
		require.Zero(t, end)
	})
}

// A goroutine that reads on after its task has ended gets nothing of the next task, wherever it is.
func TestReadingOnAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stray reader
		s := connect(t, newServer(nil, func(_ ctx, _ client, in reader) (io.Reader, error) {
			stray = in
			return nil, nil
		}))
		s.send(request(testTask, "first"))
		s.wants(ok(""))
		s.send(beginning(echoTask, "sec"))
		synctest.Wait()
		n, err := stray.Read(make([]byte, 10))
		require.Zero(t, n)
		require.Equal(t, serialserver.ErrTaskEnded, err)
		s.send([]byte{3, 'o', 'n', 'd', 0})
		s.wants(ok("second"))
	})
}

// The same for one that sits in a Read when the task ends: the connection waits for that Read,
// which takes a piece of its own message at most. The answer does not wait.
func TestReadingWhenTheTaskEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type read struct {
			p   string
			err error
		}
		reads := make(chan read, 3)
		s := connect(t, newServer(nil, func(_ ctx, _ client, in reader) (io.Reader, error) {
			go func() {
				for range 3 {
					p := make([]byte, 10)
					n, err := in.Read(p)
					reads <- read{string(p[:n]), err}
				}
			}()
			settle()
			return strings.NewReader("answer"), nil
		}))
		s.send([]byte{testTask})
		s.wants(ok("answer"))
		s.send([]byte{3, 'o', 'w', 'n', 4, 'r', 'e', 's', 't', 0}, request(echoTask, "next"))
		s.wants(ok("next"))
		require.Equal(t, read{"ownrest", nil}, <-reads)
		require.Equal(t, read{"", serialserver.ErrTaskEnded}, <-reads)
		require.Equal(t, read{"", serialserver.ErrTaskEnded}, <-reads)
	})
}

// One goroutine at a time reads in. The other one is told, and the first is not disturbed.
func TestConcurrentReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, func(_ ctx, _ client, in reader) (io.Reader, error) {
			first := make(chan string)
			go func() {
				p := make([]byte, 10)
				n, err := in.Read(p)
				first <- fmt.Sprint(string(p[:n]), " ", err)
			}()
			settle()
			n, err := in.Read(make([]byte, 10))
			if n != 0 || err != serialserver.ErrConcurrentRead {
				return nil, fmt.Errorf("%d %w", n, err)
			}
			return strings.NewReader(<-first), nil
		}))
		s.send([]byte{testTask})
		sleep(time.Second)
		s.send([]byte{3, 'o', 'n', 'e', 0}, request(echoTask, "x"))
		s.wants(ok("one <nil>"), ok("x"))
	})
}

// The same from the goroutine that sat there when the task had ended: it is not concurrent, but
// late.
func TestSecondReaderWhenTheTaskHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second := make(chan error, 1)
		s := connect(t, newServer(nil, func(_ ctx, _ client, in reader) (io.Reader, error) {
			go in.Read(make([]byte, 1))
			settle()
			time.AfterFunc(time.Second, func() {
				_, err := in.Read(make([]byte, 1))
				second <- err
			})
			return nil, nil
		}))
		s.send([]byte{testTask})
		s.wants(ok(""))
		require.Equal(t, serialserver.ErrConcurrentRead, <-second)
		s.send([]byte{0})
	})
}

// in keeps its typed values, its limit and its errors to the message.
func TestInIsTheMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, func(_ ctx, c client, in reader) (io.Reader, error) {
			n, err := in.ReadUint16()
			if err != nil {
				return nil, err
			}
			text, err := in.ReadString()
			if err != nil {
				return nil, err
			}
			require.Equal(t, c.ByteOrder(), in.ByteOrder())
			return strings.NewReader(fmt.Sprint(n, text)), in.Finish()
		}))
		for range 2 {
			s.send(request(testTask, "\x01\x02\x00\x00\x00\x03abc"))
			s.wants(ok("258abc"))
		}
		s.send(request(testTask, "\x01\x02\x00\x00\x00\x03ab"), request(echoTask, "x"))
		s.wantsEnd() // a message that is too short ends within, not beyond
		require.ErrorIs(t, s.result(), io.ErrUnexpectedEOF)
	})
}

// The read timeout of a task's message ends its context, with that cause.
func TestReadTimeoutCancelsTheTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, func(ctx ctx, _ client, in reader) (io.Reader, error) {
			_, err := io.ReadAll(in)
			require.ErrorIs(t, err, errTimeout)
			require.ErrorIs(t, context.Cause(ctx), errTimeout)
			return nil, err
		}))
		s.send(beginning(testTask, "x"))
		s.wantsEnd()
		require.Equal(t, serialserver.DefaultRead, time.Since(s.start))
		require.ErrorIs(t, s.result(), errTimeout)
	})
}
