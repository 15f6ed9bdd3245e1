package serialserver_test

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// Each bad end of a connection is one line with the peer's address, the reason and the error; what
// was to be expected is for the curious.
func TestOneLineForEachEnd(t *testing.T) {
	half := (*session).closeWrite
	for name, test := range map[string]struct {
		f      task
		send   []byte
		does   func(*session)
		level  zapcore.Level
		reason serialserver.CloseReason
		error  string // part of it; "": none
	}{
		"closed":            {echo, request(testTask, ""), half, zap.DebugLevel, serialserver.ClosedByPeer, ""},
		"idle":              {echo, nil, func(*session) { sleep(serialserver.DefaultWait) }, zap.DebugLevel, serialserver.ClosedIdle, ""},
		"disconnect":        {echo, disconnect, half, zap.DebugLevel, serialserver.ClosedGraceful, ""},
		"reset":             {echo, nil, (*session).reset, zap.WarnLevel, serialserver.ClosedRead, "reset"},
		"cut message":       {echo, beginning(testTask, "x"), half, zap.WarnLevel, serialserver.ClosedRead, "reading the message of task 3 (test): unexpected EOF"},
		"cut, not read":     {empty, beginning(testTask, "x"), half, zap.WarnLevel, serialserver.ClosedRead, "unexpected EOF"},
		"read timeout":      {echo, []byte{testTask}, func(*session) { sleep(serialserver.DefaultRead) }, zap.WarnLevel, serialserver.ClosedRead, "timeout"},
		"too slow":          {echo, []byte{testTask}, drip, zap.WarnLevel, serialserver.ClosedRead, tooSlow},
		"write timeout":     {endlessly, request(testTask, ""), func(s *session) { <-s.returned }, zap.WarnLevel, serialserver.ClosedWrite, "answering task 3 (test)"},
		"unread":            {empty, request(testTask, strings.Repeat("x", 101)), half, zap.WarnLevel, serialserver.ClosedUnread, "task 3 (test): serialserver: more input left unread"},
		"dropped":           {fails(errBroken), request(testTask, ""), half, zap.WarnLevel, serialserver.ClosedDropped, "running task 3 (test): broken"},
		"broken answer":     {returns(&once{nil, errBroken}), request(testTask, ""), half, zap.WarnLevel, serialserver.ClosedDropped, "answering task 3 (test): broken"},
		"panicked":          {func(ctx, client, reader) (io.Reader, error) { panic("boom") }, request(testTask, ""), half, zap.ErrorLevel, serialserver.ClosedDropped, "panic: boom"},
		"error that panics": {fails(wrapper{}), request(testTask, ""), half, zap.ErrorLevel, serialserver.ClosedDropped, "panic: unwrap"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lg, logs := observed()
				srv := newServer(nil, test.f, serialserver.WithLimits(serialserver.Limits{UnreadInput: 100}))
				srv.SetLogger(lg)
				s := connect(t, srv, serialtest.Addrs(serialtest.Addr("192.0.2.7:40000"), serialtest.Addr("server")))
				s.send(test.send)
				synctest.Wait()
				test.does(s)
				synctest.Wait()
				s.Close()
				s.result()
				require.Equal(t, 1, logs.Len(), "%v", logs.All())
				line := logs.All()[0]
				fields := line.ContextMap()
				require.Equal(t, test.level, line.Level)
				require.Equal(t, "192.0.2.7:40000", fields["remote"])
				require.Equal(t, test.reason.String(), fields["reason"])
				if test.error == "" {
					require.NotContains(t, fields, "error")
					return
				}
				require.Contains(t, fields["error"], test.error)
				_, panicked := fields["stack"]
				require.Equal(t, test.level == zap.ErrorLevel, panicked)
			})
		})
	}
}

// drip sends a byte every 4 s.
func drip(s *session) {
	for range 3 {
		sleep(4 * time.Second)
		s.Write([]byte{1})
	}
}

// A panic's stack names the code that panicked.
func TestPanicIsLoggedWithItsStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lg, logs := observed()
		srv := newServer(nil, panicsHere)
		srv.SetLogger(lg)
		s := connect(t, srv)
		s.send(request(testTask, ""))
		s.wantsEnd()
		s.Close()
		s.result()
		line := logs.FilterMessage("task panicked").All()
		require.Len(t, line, 1)
		require.Contains(t, line[0].ContextMap()["stack"], "panicsHere")
	})
}

func panicsHere(ctx, client, reader) (io.Reader, error) { panic("boom") }

// A client that tries all codes fills no log: the first one has a line, the last line has the count.
func TestUnknownTasksAreLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lg, logs := observed()
		srv := newServer(nil, nil)
		srv.SetLogger(lg)
		s := connect(t, srv)
		for code := 100; code < 200; code++ {
			s.send(request(serial.TaskCode(code), ""))
			s.wants(failed(250))
		}
		s.Close()
		s.result()
		lines := logs.All()
		require.Len(t, lines, 2)
		require.Equal(t, zap.WarnLevel, lines[0].Level)
		require.Equal(t, map[string]any{"remote": "client", "task": "100"}, lines[0].ContextMap())
		require.Equal(t, uint64(100), lines[1].ContextMap()["unknown_tasks"])
		require.Equal(t, uint64(100), lines[1].ContextMap()["tasks"])
	})
}

// Why a task answered with an error is for the curious: the client gets the code alone.
func TestErrorAnswersAreLoggedForTheCurious(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lg, logs := observed()
		srv := newServer(nil, fails(serial.Errorf(7, "no such %s", "thing")))
		srv.SetLogger(lg)
		s := connect(t, srv)
		s.send(request(testTask, ""))
		s.wants(failed(7))
		require.Equal(t, 1, logs.Len())
		require.Equal(t, zap.DebugLevel, logs.All()[0].Level)
		require.Equal(t, map[string]any{"remote": "client", "task": "3", "name": "test", "code": "7",
			"error": "no such thing (serial: error 7)"}, logs.All()[0].ContextMap())
		s.Close()
		s.result()
	})
}

// The task's logger carries the client's address.
func TestTasksLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		lg := zaptest.NewLogger(t, zaptest.WrapOptions(zap.WrapCore(func(zapcore.Core) zapcore.Core { return core })))
		srv := serialserver.New(nil)
		srv.SetLogger(lg)
		srv.Register(1, func(_ ctx, _ client, _ reader, lg *zap.Logger, _ ...interface{}) (io.Reader, error) {
			lg.Info("hello", zap.Int("n", 1))
			return nil, nil
		}, "")
		s := connect(t, srv)
		s.send(request(1, ""), request(1, ""))
		s.wants(ok(""), ok(""))
		require.Len(t, logs.All(), 2)
		require.Equal(t, map[string]any{"remote": "client", "n": int64(1)}, logs.All()[1].ContextMap())
	})
}
