package serialserver_test

import (
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// whole registers a WholeMessage task that answers its message n times, as testTask.
func whole(srv *serialserver.Server, n int) {
	srv.Register(testTask, serialserver.WholeMessage(
		func(_ ctx, _ client, message []byte, _ logger, _ ...any) ([]byte, error) {
			return []byte(strings.Repeat(string(message), n)), nil
		}), "whole")
}

// A message, and an answer, of the limit are fine; one byte more is too large, and the session goes on.
func TestWholeMessageLimits(t *testing.T) {
	for name, test := range map[string]struct {
		limits serialserver.Limits
		bytes  int
		times  int
		fine   bool
	}{
		"empty":               {serialserver.Limits{}, 0, 1, true},
		"message":             {serialserver.Limits{MaxMessage: 1000}, 1000, 1, true},
		"message below":       {serialserver.Limits{MaxMessage: 1000}, 999, 1, true},
		"message above":       {serialserver.Limits{MaxMessage: 1000}, 1001, 1, false},
		"message of one":      {serialserver.Limits{MaxMessage: 1}, 2, 1, false},
		"default":             {serialserver.Limits{}, serialserver.DefaultMaxMessage, 0, true},
		"above default":       {serialserver.Limits{}, serialserver.DefaultMaxMessage + 1, 0, false},
		"answer":              {serialserver.Limits{MaxAnswer: 1000}, 500, 2, true},
		"answer above":        {serialserver.Limits{MaxAnswer: 999}, 500, 2, false},
		"answer default":      {serialserver.Limits{}, 1 << 20, 4, true},
		"above answer":        {serialserver.Limits{}, 1<<20 + 1, 4, false},
		"no message limit":    {serialserver.Limits{MaxMessage: -1}, serialserver.DefaultMaxMessage + 1, 0, true},
		"no limit of answers": {serialserver.Limits{MaxAnswer: -1}, 1<<20 + 1, 4, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil, serialserver.WithLimits(test.limits))
				whole(srv, test.times)
				s := connect(t, srv)
				s.sendAside(request(testTask, strings.Repeat("x", test.bytes)), request(echoTask, "in step"))
				want := ok(strings.Repeat("x", test.bytes*test.times))
				if !test.fine {
					want = failed(serial.ErrorTooLarge)
				}
				s.wants(want, ok("in step"))
			})
		})
	}
}

// The messages of all tasks together have so much memory: a task for which there is none left is busy, and what
// was taken is given back, however it ends.
func TestMessageMemory(t *testing.T) {
	for name, end := range map[string]func() ([]byte, error){
		"answer": func() ([]byte, error) { return nil, nil },
		"error":  func() ([]byte, error) { return nil, coded(7) },
		"drop":   func() ([]byte, error) { return nil, errBroken },
		"panic":  func() ([]byte, error) { panic("handler") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var handled atomic.Int32
				srv := newServer(nil, nil, serialserver.WithMessageMemory(256<<10)) // 128 KiB, and half as much while it grows
				srv.Register(testTask, serialserver.WholeMessage(
					func(_ ctx, _ client, m []byte, _ logger, _ ...any) ([]byte, error) {
						handled.Add(1)
						sleep(time.Minute)
						return end()
					}), "")
				large := strings.Repeat("x", 128<<10-1)
				for range 3 {
					one, other := connect(t, srv), connect(t, srv)
					one.send(request(testTask, large))
					synctest.Wait()
					other.send(request(testTask, large), request(testTask, large[:64<<10-1]))
					other.wants(failed(serial.ErrorBusy))
					one.closeWrite()
					other.closeWrite()
					io.Copy(io.Discard, one.in)
					io.Copy(io.Discard, other.in)
					one.Close()
					other.Close()
					one.result()
					other.result()
				}
				require.EqualValues(t, 6, handled.Load(), "two of three, each time")
			})
		})
	}
}

// A message that was refused is gone, also while the rest of it is waited for.
func TestRefusedMessageIsNotHeld(t *testing.T) {
	const clients, size = 20, 1 << 20
	srv := newServer(nil, nil, serialserver.WithLimits(serialserver.Limits{MaxMessage: size}))
	whole(srv, 0)
	var sessions []*session
	before := heap()
	for range clients {
		s := connect(t, srv)
		s.send(beginning(testTask, strings.Repeat("x", size+1)))
		s.wants(failed(serial.ErrorTooLarge))
		sessions = append(sessions, s)
	}
	require.Less(t, int64(heap()-before)/clients, int64(size/2))
	for _, s := range sessions {
		s.Close()
	}
}

// unbounded makes the memory the only limit of a message.
var unbounded = serialserver.WithLimits(serialserver.Limits{MaxMessage: -1})

func TestMessageMemoryAtItsLimit(t *testing.T) {
	for limit, fine := range map[int64]bool{96 << 10: true, 96<<10 - 1: false, -1: true, 0: true} {
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(nil, nil, serialserver.WithMessageMemory(limit), unbounded)
			whole(srv, 0)
			s := connect(t, srv)
			s.send(request(testTask, strings.Repeat("x", 32<<10+1)), request(testTask, ""))
			want := ok("")
			if !fine {
				want = failed(serial.ErrorBusy)
			}
			s.wants(want, ok(""))
		})
	}
}

// Small messages do not count: large ones, however many and slow, are no obstacle for them.
func TestSmallMessagesAreFree(t *testing.T) {
	for bytes, want := range map[int]serialtest.Message{16<<10 - 1: ok(""), 16<<10 + 1: failed(serial.ErrorBusy)} {
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(nil, nil, serialserver.WithMessageMemory(1), unbounded)
			whole(srv, 0)
			s := connect(t, srv)
			s.send(request(testTask, strings.Repeat("x", bytes)))
			s.wants(want)
		})
	}
}

func TestWholeMessageErrors(t *testing.T) {
	for name, err := range map[string]error{"coded": coded(7), "other": errors.New("other")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil)
				srv.Register(testTask, serialserver.WholeMessage(
					func(ctx, client, []byte, logger, ...any) ([]byte, error) { return []byte("not sent"), err }), "")
				s := connect(t, srv)
				s.send(request(testTask, "x"))
				if name == "coded" {
					s.wants(failed(7))
					return
				}
				s.wantsEnd()
				require.ErrorIs(t, s.result(), err)
			})
		})
	}
}

// A message that does not come whole is never handled, also where it ends at the limit.
func TestWholeMessageCut(t *testing.T) {
	for _, message := range []string{"", "x", "0123456789"} {
		for name, end := range map[string]func(*session){
			"end":     func(s *session) { s.closeWrite() },
			"timeout": func(s *session) { sleep(time.Minute) },
		} {
			t.Run(message+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					srv := newServer(nil, nil, serialserver.WithLimits(serialserver.Limits{MaxMessage: 10}))
					srv.Register(testTask, serialserver.WholeMessage(
						func(ctx, client, []byte, logger, ...any) ([]byte, error) {
							t.Error("handled")
							return nil, nil
						}), "")
					s := connect(t, srv)
					s.send(beginning(testTask, message))
					end(s)
					s.wantsEnd()
					s.Close()
					require.Error(t, s.result())
				})
			})
		}
	}
}
