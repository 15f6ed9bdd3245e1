package serialserver_test

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
)

func TestRecover(t *testing.T) {
	other := errors.New("other")
	for name, test := range map[string]struct {
		policy func(p *serialserver.PanicError) error
		goesOn bool
		want   error // of HandleConnection
	}{
		"code":    {func(p *serialserver.PanicError) error { return serial.Errorf(7, "%w", p) }, true, nil},
		"nothing": {func(*serialserver.PanicError) error { return nil }, true, nil},
		"itself":  {func(p *serialserver.PanicError) error { return p }, false, errPanic},
		"other":   {func(*serialserver.PanicError) error { return other }, false, other},
		"panics":  {func(*serialserver.PanicError) error { panic(other) }, false, other},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(zap.WarnLevel)
				srv := newServer(nil, func(_ ctx, _ client, in reader) (io.Reader, error) {
					in.ReadUint8()
					panic(errPanic)
				})
				srv.SetLogger(zap.New(core))
				srv.Use(serialserver.Recover(func(c client, p *serialserver.PanicError) error {
					require.Equal(t, serial.TaskCode(testTask), c.Metadata().Code)
					require.ErrorIs(t, p, errPanic)
					return test.policy(p)
				}))
				s := connect(t, srv)
				s.send(request(testTask, "half read"), request(echoTask, "in step"))
				if test.goesOn {
					want := failed(7)
					if name == "nothing" {
						want = ok("")
					}
					s.wants(want, ok("in step"))
				} else {
					s.wantsEnd()
					require.ErrorIs(t, s.result(), test.want)
				}
				lines := map[string]int{"panics": 2}
				require.Equal(t, max(lines[name], 1), logs.FilterMessage("task panicked").Len())
				require.Contains(t, logs.FilterMessage("task panicked").All()[0].ContextMap()["error"], "panic: panic", "the first")
				require.Contains(t, logs.FilterMessage("task panicked").All()[0].ContextMap()["stack"], "recovery_test.go")
			})
		})
	}
}

var errPanic = errors.New("panic")

// What does not panic is left as it is.
func TestRecoverOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, fails(coded(7)))
		srv.Use(serialserver.Recover(func(client, *serialserver.PanicError) error {
			t.Error("asked")
			return nil
		}))
		s := connect(t, srv)
		s.send(request(testTask, ""), request(echoTask, "x"))
		s.wants(failed(7), ok("x"))
	})
}
