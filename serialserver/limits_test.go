package serialserver_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// The task code's limits come before the client's, and these before the server's.
func TestLimitsOfCodeClientAndServer(t *testing.T) {
	type limits = serialserver.Limits
	for name, test := range map[string]struct {
		code, client, server limits
		want                 int
	}{
		"default":       {limits{}, limits{}, limits{}, serialserver.DefaultUnreadInput},
		"server":        {limits{}, limits{}, limits{UnreadInput: 30}, 30},
		"client":        {limits{}, limits{UnreadInput: 20}, limits{UnreadInput: 30}, 20},
		"code":          {limits{UnreadInput: 10}, limits{UnreadInput: 20}, limits{UnreadInput: 30}, 10},
		"code, none":    {limits{UnreadInput: -1}, limits{UnreadInput: 20}, limits{UnreadInput: 30}, 0},
		"other fields":  {limits{MinRate: 1}, limits{TaskTime: 1}, limits{UnreadInput: 30}, 30},
		"code, default": {limits{UnreadInput: 10}, limits{}, limits{}, 10},
	} {
		for _, off := range []int{0, 1} {
			t.Run(fmt.Sprint(name, " +", off), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					srv := newServer(nil, empty, serialserver.WithLimits(test.server))
					srv.SetTaskLimits(testTask, test.code)
					s := connect(t, srv)
					synctest.Wait()
					srv.Clients()[0].SetLimits(test.client)
					s.sendAside(request(testTask, strings.Repeat("x", test.want+off)), request(echoTask, "x"))
					want := ok("x")
					if off > 0 {
						want = goodbye
					}
					s.wants(ok(""), want)
				})
			})
		}
	}
}

// Limits that are set before Register, after it, and before Use, hold.
func TestSetTaskLimitsInAnyOrder(t *testing.T) {
	limits := serialserver.Limits{UnreadInput: 10}
	same := func(f serialserver.TaskFunc) serialserver.TaskFunc { return f }
	for name, set := range map[string]func(*serialserver.Server){
		"before Register": func(srv *serialserver.Server) {
			srv.SetTaskLimits(testTask, limits)
			srv.Register(testTask, task(empty).run, "")
		},
		"after Register": func(srv *serialserver.Server) {
			srv.Register(testTask, task(empty).run, "")
			srv.SetTaskLimits(testTask, limits)
		},
		"before Use": func(srv *serialserver.Server) {
			srv.Register(testTask, task(empty).run, "")
			srv.SetTaskLimits(testTask, limits)
			srv.Use(same)
		},
		"set again": func(srv *serialserver.Server) {
			srv.SetTaskLimits(testTask, serialserver.Limits{UnreadInput: 100})
			srv.Register(testTask, task(empty).run, "")
			srv.SetTaskLimits(testTask, limits)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil)
				set(srv)
				s := connect(t, srv)
				s.send(request(testTask, "0123456789"), request(testTask, "0123456789+"))
				s.wants(ok(""), ok(""), goodbye)
				s.Close()
				require.ErrorIs(t, s.result(), serialserver.ErrUnreadInput)
			})
		})
	}
	require.PanicsWithValue(t, "serialserver: SetTaskLimits of the reserved task code 250 (KeepAlive)", func() {
		newServer(nil, nil).SetTaskLimits(serial.TaskKeepAlive, limits)
	})
}

// A message has its time, whatever the timeout and the rate; the time in which the task works does not count.
func TestMessageTime(t *testing.T) {
	around(t, time.Minute, func(t *testing.T, at time.Duration, late bool) {
		var err error
		srv := newServer(&serialserver.Timeout{Read: -1}, func(_ ctx, _ client, in reader) (io.Reader, error) {
			in.ReadUint8()
			sleep(time.Hour)
			_, err = io.Copy(io.Discard, in)
			return nil, err
		}, noRate)
		srv.SetTaskLimits(testTask, serialserver.Limits{MessageTime: time.Minute})
		s := connect(t, srv)
		for range 2 { // each message has its own
			s.send([]byte{testTask})
			sleep(30 * time.Second)
			s.send([]byte{1, 'x'})
			sleep(time.Hour + at - 30*time.Second)
			s.Write([]byte{0})
			if late {
				require.ErrorIs(t, s.result(), errTimeout)
				require.ErrorContains(t, err, "longer under way")
				return
			}
			s.wants(ok(""))
			require.NoError(t, err)
		}
	})
}

// An answer has the same time again to be taken.
func TestMessageTimeOfAnAnswer(t *testing.T) {
	around(t, time.Minute, func(t *testing.T, at time.Duration, late bool) {
		srv := newServer(&serialserver.Timeout{Write: -1, Read: -1}, nil,
			serialserver.WithLimits(serialserver.Limits{MinRate: -1, MessageTime: time.Minute}))
		srv.Register(testTask, task(returns(bytes.NewReader(make([]byte, 1000)))).run, "")
		s := connect(t, srv, serialtest.Buffer(0))
		s.send([]byte{testTask})
		sleep(time.Minute - 1)
		s.send([]byte{0})
		sleep(at)
		if late {
			require.ErrorIs(t, s.result(), errTimeout)
			return
		}
		require.Len(t, *s.answer().OK, 1000)
	})
}

// The minimum rate of a task code holds for its tasks alone.
func TestMinRateOfATaskCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(&serialserver.Timeout{Read: -1}, returns(nil), serialserver.WithLimits(serialserver.Limits{MinRate: 100, MinRateWindow: 10 * time.Second}))
		srv.SetTaskLimits(testTask, serialserver.Limits{MinRate: -1})
		s := connect(t, srv)
		s.send([]byte{testTask})
		sleep(30 * time.Minute)
		s.send([]byte{0})
		s.wants(ok(""))
		s.send([]byte{echoTask})
		start := time.Now()
		require.ErrorContains(t, s.result(), tooSlow)
		require.Equal(t, 10*time.Second+500*time.Millisecond, time.Since(start), "with the lingering close")
	})
}

// The limits of a task code hold also while nothing is registered for it.
func TestLimitsOfAnUnregisteredTask(t *testing.T) {
	const unknownTask = 77
	for bytes, kept := range map[int]bool{1000: true, 1001: false} {
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(nil, nil)
			srv.SetTaskLimits(unknownTask, serialserver.Limits{UnreadInput: 1000})
			s := connect(t, srv)
			s.send(request(unknownTask, strings.Repeat("x", bytes)), request(echoTask, "x"))
			s.wants(failed(serial.ErrorUnknownTask))
			if kept {
				s.wants(ok("x"))
				return
			}
			s.wants(goodbye)
		})
	}
}

// Describe says where a task has a minimum rate of its own.
func TestDescribedRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		srv.SetTaskLimits(echoTask, serialserver.Limits{MinRate: -1})
		srv.SetTaskLimits(emptyTask, serialserver.Limits{MinRate: 1000, MinRateWindow: time.Second})
		srv.Register(testTask, task(empty).run, "as the server's")
		s := connect(t, srv)
		s.send(request(serial.TaskDescribe, ""))
		var d serial.Description
		require.NoError(t, json.Unmarshal(*s.answer().OK, &d))
		require.EqualValues(t, serialserver.DefaultMinRate, d.Limits.MinRate)
		rate := func(i int) []int64 {
			l := d.Tasks[i].Limits
			if l.MinRate == nil {
				return nil
			}
			return []int64{*l.MinRate, *l.MinRateWindowMillis}
		}
		require.Equal(t, []int64{0, 0}, rate(0))
		require.Equal(t, []int64{1000, 1000}, rate(1))
		require.Nil(t, rate(2))
	})
}
