package serialserver_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// trapCode is the code of a task that must never run, and all the bytes of the messages below.
const trapCode = 77

// Once a message could not be read to its end, no byte is a task code any more.
func TestNoByteIsEverTakenForATaskCode(t *testing.T) {
	traps := strings.Repeat(string([]byte{trapCode}), trapCode)
	some := func(in reader) { io.ReadFull(in, make([]byte, 10)) }
	tasks := map[string]task{
		"reads nothing":        empty,
		"reads all":            reads(-1),
		"reads some":           func(_ ctx, _ client, in reader) (io.Reader, error) { some(in); return nil, nil },
		"echoes":               echo,
		"fails":                func(_ ctx, _ client, in reader) (io.Reader, error) { some(in); return nil, errBroken },
		"fails with a code":    func(_ ctx, _ client, in reader) (io.Reader, error) { some(in); return nil, coded(7) },
		"panics":               func(_ ctx, _ client, in reader) (io.Reader, error) { some(in); panic("x") },
		"hides the read error": func(_ ctx, _ client, in reader) (io.Reader, error) { io.Copy(io.Discard, in); return nil, nil },
		"breaks off":           func(_ ctx, _ client, in reader) (io.Reader, error) { some(in); return &once{nil, errBroken}, nil },
		"leaves a reader": func(_ ctx, _ client, in reader) (io.Reader, error) {
			go io.Copy(io.Discard, in)
			settle()
			return nil, nil
		},
	}
	ends := map[string]func(*session){
		"late":  func(s *session) { sleep(serialserver.DefaultRead); s.Write([]byte(traps)) },
		"reset": (*session).reset,
		"cut":   (*session).closeWrite,
		"much":  func(s *session) { s.Write([]byte(strings.Repeat(string([]byte{trapCode}), 10_000))) },
	}
	for task, f := range tasks {
		for end, ends := range ends {
			t.Run(task+", "+end, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					srv := newServer(nil, f, serialserver.WithLimits(serialserver.Limits{UnreadInput: 100}))
					srv.Register(trapCode, returnsTrap(t).run, "trap")
					s := connect(t, srv)
					s.send([]byte{testTask, trapCode}, []byte(traps), []byte{trapCode}, []byte(traps[:30]))
					synctest.Wait()
					ends(s)
					sleep(time.Minute)
					s.Close()
					err := s.result()
					require.Error(t, err)
					require.False(t, errors.Is(err, serialserver.ErrGracefulDisconnect))
				})
			})
		}
	}
}

func returnsTrap(t *testing.T) task {
	return func(ctx, client, reader) (io.Reader, error) {
		t.Error("a byte of a message was taken for a task code")
		return nil, nil
	}
}

// Nor when the transport fails at any byte of an exchange: the answers that come are a beginning of
// the right ones.
func TestFaultsAtEveryByte(t *testing.T) {
	requests := bytes.Join([][]byte{request(echoTask, "a"), request(emptyTask, "\x4d\x4d"), request(echoTask, "b")}, nil)
	whole := []serialtest.Message{ok("a"), ok(""), ok("b")}
	for n := range len(requests) {
		for _, fault := range []func(int) *serialtest.Fault{serialtest.CutRead, serialtest.ResetRead, serialtest.StallRead} {
			synctest.Test(t, func(t *testing.T) {
				f := fault(n)
				srv := newServer(nil, nil)
				srv.Register(trapCode, returnsTrap(t).run, "trap")
				clientEnd, serverEnd := serialtest.Pipe(serialtest.ResetOnUnread(false))
				_, err := clientEnd.Write(requests)
				require.NoError(t, err)
				s := serve(t, t.Context(), srv, clientEnd, serialtest.Faulty(serverEnd, f))
				for i := 0; ; i++ {
					m, err := serialtest.ReadMessage(s.in)
					if err != nil || m.Goodbye || m.Cut != nil {
						break
					}
					require.Less(t, i, len(whole))
					require.Equal(t, whole[i], m)
				}
				s.result()
				require.Equal(t, 1, f.Fired(), "%v", f)
			})
		}
	}
}
