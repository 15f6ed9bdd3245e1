package serialserver_test

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
)

var errTimeout = os.ErrDeadlineExceeded

// Every code that has no task, the reserved ones included, is answered so; its message is discarded.
func TestUnknownTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, nil))
		for code := range 256 {
			switch c := serial.TaskCode(code); c {
			case echoTask, emptyTask, serial.TaskKeepAlive, serial.TaskDescribe, serial.TaskDisconnect:
			default:
				s.send(request(c, "\x01\x00\x01"))
				s.wants(failed(serial.ErrorUnknownTask))
			}
		}
		s.send(request(echoTask, "x"))
		s.wants(ok("x"))
	})
}

func TestUnknownTaskWithTooMuchInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, nil, serialserver.WithLimits(serialserver.Limits{UnreadInput: 10})))
		s.send(request(99, strings.Repeat("x", 10)), request(99, strings.Repeat("x", 11)), request(echoTask, "x"))
		s.wants(failed(serial.ErrorUnknownTask), failed(serial.ErrorUnknownTask), goodbye)
		s.closeWrite()
		require.ErrorIs(t, s.result(), serialserver.ErrUnreadInput)
	})
}

// A client is done as soon as its code has come, with or without a message, and what it sends
// after that is not looked at.
func TestDisconnectFromTheClient(t *testing.T) {
	for _, rest := range []string{"", "\x00", "\x00\x03\x00", "\x03"} {
		synctest.Test(t, func(t *testing.T) {
			s := connect(t, newServer(nil, func(ctx, client, reader) (io.Reader, error) {
				t.Error("a task ran")
				return nil, nil
			}))
			s.send(request(echoTask, "x"), []byte{byte(serial.TaskDisconnect)}, []byte(rest))
			s.wants(ok("x"), goodbye)
			s.wantsEnd()
			s.Close()
			require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
		})
	}
}

func TestKeepAliveResetsTheWaitTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(&serialserver.Timeout{Wait: time.Minute}, nil))
		for range 10 {
			sleep(time.Minute - 1)
			s.send(request(serial.TaskKeepAlive, ""))
			s.wants(ok(""))
		}
		idle := time.Now()
		s.wants(goodbye)
		require.Equal(t, time.Minute, time.Since(idle))
	})
}

func TestKeepAliveDuringATaskIsAnsweredInItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, func(ctx, client, reader) (io.Reader, error) {
			sleep(time.Minute)
			return strings.NewReader("done"), nil
		}))
		s.send(request(testTask, ""), request(serial.TaskKeepAlive, "ignored"))
		sleep(time.Minute - 1)
		s.send(request(serial.TaskKeepAlive, ""))
		s.wantsSilence()
		s.wants(ok("done"), ok(""), ok(""))
		require.Equal(t, time.Minute, time.Since(s.start))
	})
}

// The document is that of docs/protocol.md.
func TestDescribe(t *testing.T) {
	for name, test := range map[string]struct {
		srv  *serialserver.Server
		want string
	}{
		"defaults": {
			serialserver.New(nil),
			`{"server": "", "limits": {"wait_ms": 1800000, "read_ms": 5000, "write_ms": 5000,
				"min_rate_bytes_per_second": 64, "min_rate_window_ms": 10000}, "tasks": []}`,
		},
		"none": {
			serialserver.New(&serialserver.Timeout{Wait: -1, Read: -1, Write: -1},
				serialserver.WithLimits(serialserver.Limits{MinRate: -1, UnreadInput: -1, MessageTime: -1, TaskTime: -1})),
			`{"server": "", "limits": {"wait_ms": 0, "read_ms": 0, "write_ms": 0,
				"min_rate_bytes_per_second": 0, "min_rate_window_ms": 0}, "tasks": []}`,
		},
		"rounded up": {
			serialserver.New(&serialserver.Timeout{Wait: 1, Read: time.Millisecond, Write: time.Millisecond + 1},
				serialserver.WithLimits(serialserver.Limits{MinRate: 1000, MinRateWindow: time.Second + 1})),
			`{"server": "", "limits": {"wait_ms": 1, "read_ms": 1, "write_ms": 2,
				"min_rate_bytes_per_second": 1000, "min_rate_window_ms": 1001}, "tasks": []}`,
		},
		"tasks": {
			described(),
			`{"server": "näme", "limits": {"wait_ms": 1800000, "read_ms": 5000, "write_ms": 5000,
				"min_rate_bytes_per_second": 64, "min_rate_window_ms": 10000}, "tasks": [
				{"code": 0, "name": "first", "limits": {"unread_input_bytes": 77, "message_ms": 3600000, "task_ms": 86400000}},
				{"code": 7, "name": "", "limits": {"unread_input_bytes": 77, "message_ms": 3600000, "task_ms": 86400000}},
				{"code": 249, "name": "last", "limits": {"unread_input_bytes": 77, "message_ms": 3600000, "task_ms": 86400000}}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := connect(t, test.srv)
				s.send(request(serial.TaskDescribe, "ignored"), disconnect)
				m := s.answer()
				require.NotNil(t, m.OK)
				require.JSONEq(t, test.want, string(*m.OK))
				require.NoError(t, json.Unmarshal(*m.OK, new(serial.Description)))
				s.wants(goodbye)
			})
		})
	}
}

func described() *serialserver.Server {
	srv := serialserver.New(nil, serialserver.WithName("näme"), serialserver.WithLimits(serialserver.Limits{UnreadInput: 77}))
	srv.Register(249, task(empty).run, "last")
	srv.Register(7, task(empty).run, "")
	srv.Register(0, task(empty).run, "first")
	return srv
}
