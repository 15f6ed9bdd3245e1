package serialserver_test

import (
	"context"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// Each connection is counted once, as what it was when the stop began and what became of it.
func TestReport(t *testing.T) {
	errTask := func(err error) task { // which ends after a while
		return func(ctx, client, reader) (io.Reader, error) { sleep(time.Second); return nil, err }
	}
	for name, test := range map[string]struct {
		f     task
		first func(*serialserver.Server, *session) // before the stop
		then  func(*session)                       // after it
		want  serialserver.Report
	}{
		"idle":     {want: serialserver.Report{Idle: 1}},
		"answered": {f: errTask(nil), want: serialserver.Report{Drained: 1}},
		"an error": {f: errTask(coded(7)), want: serialserver.Report{Drained: 1}},
		"unread": {f: errTask(nil), first: func(_ *serialserver.Server, s *session) {
			s.sendAside(make([]byte, 1<<20)) // behind the request: never read
		}, want: serialserver.Report{Drained: 1}},
		"dropped": {f: errTask(errBroken), want: serialserver.Report{Failed: 1}},
		"panics": {f: func(ctx, client, reader) (io.Reader, error) { sleep(time.Second); panic("task") },
			want: serialserver.Report{Failed: 1}},
		"vanishes": {f: errTask(errBroken), then: func(s *session) { s.reset() }, want: serialserver.Report{Failed: 1}},
		"disconnected before": {f: errTask(nil), first: func(srv *serialserver.Server, _ *session) {
			srv.Disconnect(time.Minute)
		}, want: serialserver.Report{Drained: 1}},
		"takes too long": {f: sleeper(time.Hour), want: serialserver.Report{Cut: 1}},
		"closed idle":    {then: func(s *session) {}, want: serialserver.Report{Idle: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, test.f)
				s := connect(t, srv)
				if test.f != nil {
					s.send(request(testTask, ""))
				}
				synctest.Wait()
				if test.first != nil {
					test.first(srv, s)
				}
				done := shutDown(srv, time.Minute)
				synctest.Wait()
				if test.then != nil {
					test.then(s)
				}
				go io.Copy(io.Discard, s.Conn)
				got := (<-done).Report
				got.Running = nil
				require.Equal(t, test.want, got)
				srv.Wait()
				got = (<-shutDown(srv, 0)).Report
				require.Equal(t, test.want, got, "when all have ended")
			})
		})
	}
}

// What is left when the time is over is closed, whatever it waits for, and is in the count.
func TestShutdownLeavesNothingOpen(t *testing.T) {
	for name, test := range map[string]struct {
		client func(*session)
		opts   []serialtest.Option
		want   serialserver.Report
	}{
		"lingers":          {func(*session) {}, nil, serialserver.Report{Idle: 1}},
		"takes no Goodbye": {func(*session) {}, []serialtest.Option{serialtest.Buffer(0)}, serialserver.Report{Idle: 1}},
		"takes no answer": {func(s *session) { s.send(request(emptyTask, "")) },
			[]serialtest.Option{serialtest.Buffer(0)}, serialserver.Report{Cut: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil)
				s := connect(t, srv, test.opts...)
				synctest.Wait()
				test.client(s)
				synctest.Wait()
				start := time.Now()
				r := <-shutDown(srv, 100*time.Millisecond)
				require.Equal(t, context.DeadlineExceeded, r.err)
				require.LessOrEqual(t, r.after, 150*time.Millisecond)
				require.Equal(t, test.want, r.Report)
				srv.Wait()
				require.LessOrEqual(t, time.Since(start), 150*time.Millisecond)
			})
		})
	}
}

// Nor does who goes on sending after Goodbye.
func TestShutdownLeavesNoDripper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		s := connect(t, srv)
		synctest.Wait()
		done := shutDown(srv, 2*time.Second)
		s.wants(goodbye)
		for n := 0; ; n++ {
			if _, err := s.Write([]byte{1}); err != nil {
				require.Equal(t, 6, n)
				break
			}
			sleep(400 * time.Millisecond)
		}
		r := <-done
		require.Equal(t, 2030*time.Millisecond, r.after)
		require.Equal(t, serialserver.Report{Idle: 1}, r.Report)
	})
}

// A client that is told Goodbye and lingers costs no buffer.
func TestLingeringHoldsNoBuffer(t *testing.T) {
	const clients = 500
	srv := newServer(nil, nil)
	var sessions []*session
	for range clients {
		s := connect(t, srv, serialtest.Buffer(8))
		s.send(request(echoTask, "x"))
		s.wants(ok("x"))
		sessions = append(sessions, s)
	}
	before := heap()
	srv.Disconnect(0)
	for _, s := range sessions {
		s.wants(goodbye) // it lingers now, or will in a moment
	}
	grown := int64(heap()-before) / clients
	require.Less(t, grown, int64(8<<10), "bytes a client")
	for _, s := range sessions {
		s.Close()
	}
}

// heap returns how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what is in a sync.Pool goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
