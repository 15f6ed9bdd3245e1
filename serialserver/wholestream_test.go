package serialserver_test

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// wholeStream registers a WholeMessageStream task, as testTask.
func wholeStream(srv *serialserver.Server, f func(message []byte) (io.Reader, error)) {
	srv.Register(testTask, serialserver.WholeMessageStream(
		func(_ ctx, _ client, message []byte, _ logger, _ ...any) (io.Reader, error) { return f(message) }), "whole")
}

// held is a stream that ends when it is told to, and says that it was closed.
type held struct {
	end, closed chan struct{}
	release     func() // ends it; may be called again
}

func newHeld() held {
	end := make(chan struct{})
	return held{end, make(chan struct{}), sync.OnceFunc(func() { close(end) })}
}

func (h held) Read([]byte) (int, error) {
	<-h.end
	return 0, io.EOF
}

func (h held) Close() error {
	close(h.closed)
	return nil
}

// The message has the limit of WholeMessage. The answer has none, and may be empty or an error.
func TestWholeMessageStream(t *testing.T) {
	long := strings.Repeat("0123456789", 100)
	for name, test := range map[string]struct {
		message string
		answer  io.Reader
		err     error
		want    serialtest.Message
	}{
		"empty":             {"", nil, nil, ok("")},
		"stream":            {"x", io.MultiReader(strings.NewReader("a"), strings.NewReader("b")), nil, ok("ab")},
		"answer above":      {"x", strings.NewReader(long), nil, ok(long)},
		"message":           {long[:100], strings.NewReader("x"), nil, ok("x")},
		"message above":     {long[:101], strings.NewReader("x"), nil, failed(serial.ErrorTooLarge)},
		"error with a code": {"x", nil, coded(7), failed(7)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil, serialserver.WithLimits(serialserver.Limits{MaxMessage: 100, MaxAnswer: 100}))
				wholeStream(srv, func(message []byte) (io.Reader, error) {
					require.Equal(t, test.message, string(message))
					return test.answer, test.err
				})
				s := connect(t, srv)
				s.send(request(testTask, test.message), request(echoTask, "in step"))
				s.wants(test.want, ok("in step"))
			})
		})
	}
}

// A message that does not come whole is never handled; an error without a code ends the connection.
func TestWholeMessageStreamThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		srv := newServer(nil, nil)
		wholeStream(srv, func(message []byte) (io.Reader, error) {
			require.Equal(t, "whole", string(message))
			return nil, broken
		})
		s := connect(t, srv)
		s.send(beginning(testTask, "cut"))
		s.closeWrite()
		s.wantsEnd()
		s.Close()
		require.ErrorIs(t, s.result(), io.ErrUnexpectedEOF)
		s = connect(t, srv)
		s.send(request(testTask, "whole"))
		s.wantsEnd()
		s.Close()
		require.ErrorIs(t, s.result(), broken)
	})
}

// The message counts until its answer was sent, and no longer, however that ends.
func TestMemoryOfAMessageWithAStream(t *testing.T) {
	large := strings.Repeat("x", 32<<10+1)
	for name, end := range map[string]func(*session, held){
		"answered": func(s *session, h held) { h.release(); s.wants(ok("")) },
		"dropped":  func(s *session, h held) { s.Close(); sleep(time.Second); h.release() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil, serialserver.WithMessageMemory(128<<10), unbounded)
				answers := []held{newHeld(), newHeld()}
				defer answers[0].release()
				answers[1].release()
				n := 0
				wholeStream(srv, func([]byte) (io.Reader, error) { n++; return answers[n-1], nil })
				one, other := connect(t, srv), connect(t, srv)
				one.send(request(testTask, large))
				synctest.Wait()
				other.send(request(testTask, large))
				other.wants(failed(serial.ErrorBusy))
				end(one, answers[0])
				<-answers[0].closed
				synctest.Wait()
				other.send(request(testTask, large))
				other.wants(ok(""))
			})
		})
	}
}

// A slow sender has no place of LimitConcurrency; a task has its place until its answer was sent.
func TestPlaceOfAMessageWithAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		srv.Use(serialserver.LimitConcurrency(1, 0))
		answer := newHeld()
		defer answer.release()
		wholeStream(srv, func(message []byte) (io.Reader, error) {
			if string(message) == "held" {
				return answer, nil
			}
			return nil, nil
		})
		slow, good := connect(t, srv), connect(t, srv)
		slow.send(beginning(testTask, "held"))
		synctest.Wait()
		good.send(request(testTask, "x"))
		good.wants(ok(""))
		slow.send([]byte{0})
		synctest.Wait()
		good.send(request(testTask, "x"))
		good.wants(failed(serial.ErrorBusy))
		answer.release()
		slow.wants(ok(""))
		good.send(request(testTask, "x"))
		good.wants(ok(""))
	})
}
